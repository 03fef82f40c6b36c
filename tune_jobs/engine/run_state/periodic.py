"""Repeat an action in a thread beside a run."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from trainables.storage import StorageError


@contextmanager
def repeating(action: Callable[[], bool], every_seconds: float) -> Iterator[None]:
    """Call `action` in a thread every `every_seconds`, until it returns `False` or the block ends.

    Where it cannot reach the storage, that is printed, and the next call tries again.
    """
    stop = threading.Event()

    def repeat() -> None:
        goes_on = True
        while goes_on and not stop.wait(every_seconds):
            try:
                goes_on = action()
            except StorageError as error:
                print(f"--storage: trying again: {error}", file=sys.stderr)

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
