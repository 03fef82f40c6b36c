"""What is done again and again beside a run."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from trainables.storage import StorageError


@contextmanager
def repeating(action: Callable[[], bool], every_seconds: float) -> Iterator[None]:
    """Call `action` in a thread every so many seconds, until it says `False` or the block ends. A
    storage that it cannot reach is told and tried again."""
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
