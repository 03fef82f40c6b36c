"""Tell errors of a disk or a store (full, or out of reach) from a trial's own; name the place."""

import errno
import os
import re
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STORAGE_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG)
"""Errors of the storage itself: no room, over quota, read-only, failing disk, file too large."""

FULL_BYTES = 2**16
"""A disk with less room than this is full: what is written without a name is small, as a line of
the record is."""


class StorageError(OSError):
    """The storage cannot be read or written."""


class OtherDiskError(StorageError):
    """A folder outside the storage cannot be written, which ends the run as well. The message names
    the machine and the folder, and says what to do."""


@contextmanager
def storage_errors(storage: Path | None) -> Iterator[None]:
    """Raise errors of the storage, or of another disk, as `StorageError`, so that they differ from
    a trial's own.

    Args:
        storage: The storage's folder; `None` for an object store, whose errors are told already.
    """
    try:
        yield
    except Exception as error:
        found = to_storage_error(error, storage)
        if found is None or found is error:
            raise
        raise found from error


def to_storage_error(error: Exception, storage: Path | None) -> StorageError | None:
    """Return the error as that of the storage, or of another disk; `None` where it is neither."""
    if isinstance(error, StorageError):
        return error
    number = _errno(error)
    if number not in STORAGE_ERRNOS:
        return None
    file = getattr(error, "filename", None)
    place = Path(os.fsdecode(file)).resolve() if file else _full_place(number, storage)
    said = f"{os.strerror(number)}{f' ({file})' if file else ''}"
    if place is None or (storage and place.is_relative_to(storage)):
        return StorageError(said)
    temporary = Path(tempfile.gettempdir()).resolve()
    folder = temporary if place.is_relative_to(temporary) else place.parent
    remedy = "or have TMPDIR (and RAY_TMPDIR, if it is set) name a folder with room"
    return OtherDiskError(
        f"{str(folder)!r} on {socket.gethostname()}, the folder of temporary files: {said}: make "
        f"room there, {remedy}"
        if folder == temporary
        else f"{str(folder)!r} on {socket.gethostname()}: {said}: make room there"
    )


@contextmanager
def naming(place: Path) -> Iterator[None]:
    """Have errors of a disk name `place` where they name no file: those of a `write` do not."""
    try:
        yield
    except Exception as error:
        number = _errno(error)
        if number not in STORAGE_ERRNOS or getattr(error, "filename", None):
            raise
        raise OSError(number, os.strerror(number), str(place)) from error


def _full_place(number: int, storage: Path | None) -> Path | None:
    """Find out by the disks themselves what an error is about that names no file: the folder of
    temporary files, or `None` for the storage."""
    temporary = Path(tempfile.gettempdir()).resolve()
    if storage is None:
        return temporary
    return temporary if _fails(temporary, number) and not _fails(storage, number) else None


def _fails(folder: Path, number: int) -> bool:
    disk = os.statvfs(folder)
    if number == errno.EROFS:
        return bool(disk.f_flag & os.ST_RDONLY)
    return disk.f_bavail * disk.f_frsize < FULL_BYTES or (disk.f_files > 0 and not disk.f_favail)


def _errno(error: Exception) -> int | None:
    """Return the error's number, or `None`.

    Libraries written in Rust (safetensors) have it in the text of an exception of their own.
    """
    if isinstance(error, OSError):
        return error.errno
    found = re.search(r"\(os error (\d+)\)", str(error))
    return int(found[1]) if found else None
