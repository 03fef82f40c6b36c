"""The first Ctrl-C ends a run in good order, whatever it breaks on its way."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tune_jobs.engine.cli.signals import SIGNALS, interruptible


@pytest.fixture(autouse=True)
def own_handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@contextmanager
def lock() -> Iterator[None]:
    try:
        yield
    finally:
        Path("/nowhere").unlink()


def test_an_error_that_follows_an_interruption_is_the_interruption() -> None:
    with pytest.raises(KeyboardInterrupt) as raised, interruptible("interrupted"), lock():
        os.kill(os.getpid(), signal.SIGTERM)
    assert isinstance(raised.value.__cause__, FileNotFoundError)


def test_an_error_without_an_interruption_is_itself() -> None:
    with pytest.raises(FileNotFoundError), interruptible("interrupted"):
        raise FileNotFoundError
