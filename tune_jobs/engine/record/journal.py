"""Keep a study's journal file to whole lines, under a lock that no dead process holds for good."""

import json
import mmap
import os
from pathlib import Path

from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileSymlinkLock

from tune_jobs.engine.errors import RunError
from tune_jobs.engine.record.journal_storage import Journal, JournalFile

STALE_SECONDS = 3
"""A lock that nobody has released or used for this long is taken over: its owner is dead."""


def open_journal(path: Path) -> JournalStorage:
    """Open the storage of all studies in the journal; each such object holds them all in memory.

    Raises:
        RunError: A line amid the journal is damaged.
    """
    try:
        return Journal(JournalFile(str(path), lock_obj=_lock(path)))
    except ValueError as error:
        raise RunError(
            f"{path}: a line of the record is damaged ({error}): put a copy of it back, or begin "
            "a new run"
        ) from error


def repair_journal(path: Path) -> int:
    """Cut off a torn end; return the number of bytes cut.

    A process that dies while it writes leaves a part of a line. Optuna skips it when it reads, and
    would glue the next line onto it, so it is cut off under the lock before the first append.
    """
    if not path.exists():
        return 0
    lock = _lock(path)
    lock.acquire()
    try:
        return _cut_torn_line(path)
    finally:
        lock.release()


def _lock(path: Path) -> JournalFileSymlinkLock:
    return JournalFileSymlinkLock(str(path), grace_period=STALE_SECONDS)


def _cut_torn_line(path: Path) -> int:
    """Cut off a torn last line, and any before it that are no JSON, as a power cut leaves them."""
    size = path.stat().st_size
    if size == 0:  # cannot be mapped
        return 0
    with path.open("r+b") as file:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            end = content.rfind(b"\n") + 1
            while end:
                start = content.rfind(b"\n", 0, end - 1) + 1
                if _is_json(content[start:end]):
                    break
                end = start
        if end < size:
            file.truncate(end)
            os.fsync(file.fileno())
        return size - end


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
