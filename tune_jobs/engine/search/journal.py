"""The journal file under a study: whole lines only, and a lock that no dead process keeps."""

import os
from pathlib import Path

from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock
from optuna.storages.journal._file import get_lock_file

STALE_SECONDS = 3
"""A lock that nobody has released or used for so long is taken over: its owner is dead."""

BLOCK_BYTES = 65536


def open_journal(path: Path) -> JournalFileBackend:
    return JournalFileBackend(str(path), lock_obj=_lock(path))


def repair_journal(path: Path) -> int:
    """Cut a torn last line off -> the number of its bytes.

    A process that dies while it writes leaves one. Optuna skips it when it reads, and would glue
    the next record onto it, so it is cut off under the lock before the first append.
    """
    if not path.exists():
        return 0
    with get_lock_file(_lock(path)):
        return _cut_torn_line(path)


def _lock(path: Path) -> JournalFileSymlinkLock:
    return JournalFileSymlinkLock(str(path), grace_period=STALE_SECONDS)


def _cut_torn_line(path: Path) -> int:
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        whole = _end_of_last_line(file.fileno(), size)
        if whole < size:
            file.truncate(whole)
            os.fsync(file.fileno())
        return size - whole


def _end_of_last_line(descriptor: int, size: int) -> int:
    """Position after the last newline."""
    end = size
    while end > 0:
        start = max(0, end - BLOCK_BYTES)
        newline = os.pread(descriptor, end - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0
