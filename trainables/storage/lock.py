"""Let one process of a machine at a time do what the others then need not do again."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def one_at_a_time(lock: Path) -> Iterator[None]:
    """Wait until no other process of this machine is in here; a process that dies leaves.

    Args:
        lock: A file of its own. It stays: if it were removed, two processes could lock two files.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
