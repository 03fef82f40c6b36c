"""Ctrl-C and SIGTERM: once, the run stops in good order; twice, at once."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

INTERRUPTED = 130

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptible(message: str) -> Iterator[None]:
    """Let SIGINT and SIGTERM raise `KeyboardInterrupt`, and a second of them end the process.

    The first prints `message` at once: `ray job stop` sends SIGKILL 3 s after SIGTERM. The record
    is whole at all times, so nothing has to be done before the end. An error that follows is the
    interruption's too: Optuna fails to release a lock in the middle of whose release it came.
    """
    interrupted = False

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal interrupted
        if interrupted:
            os._exit(INTERRUPTED)
        interrupted = True
        with suppress(BrokenPipeError):  # the same Ctrl-C has ended `2>&1 | tee`
            os.write(2, f"\n{message}\n".encode())
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, interrupt) for number in SIGNALS}
    try:
        yield
    except Exception as error:
        if not interrupted:
            raise
        raise KeyboardInterrupt from error
    for number, handler in before.items():  # not after an interruption: a second one may follow
        signal.signal(number, handler)
