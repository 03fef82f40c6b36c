"""Tell errors of the storage (full, or out of reach) from a trial's own: no trial fails by them."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

STORAGE_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG)
"""Errors of the storage itself: no room, over quota, read-only, failing disk, file too large."""


class StorageError(OSError):
    """The storage cannot be read or written."""


@contextmanager
def storage_errors() -> Iterator[None]:
    """Raise errors of the storage as `StorageError`, so that they differ from a trial's own."""
    try:
        yield
    except StorageError:
        raise
    except Exception as error:
        number = _errno(error)
        if number not in STORAGE_ERRNOS:
            raise
        file = getattr(error, "filename", None)
        raise StorageError(f"{os.strerror(number)}{f' ({file})' if file else ''}") from error


def _errno(error: Exception) -> int | None:
    """Return the error's number, or `None`.

    Libraries written in Rust (safetensors) have it in the text of an exception of their own.
    """
    if isinstance(error, OSError):
        return error.errno
    found = re.search(r"\(os error (\d+)\)", str(error))
    return int(found[1]) if found else None
