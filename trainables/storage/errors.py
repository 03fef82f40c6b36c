"""Storage that is full or gone: no trial's fault, so a trial does not fail of it."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

STORAGE_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG)


class StorageError(OSError):
    """A worker cannot write what it must."""


@contextmanager
def storage_errors() -> Iterator[None]:
    """Give errors of the storage a name by which they differ from a trial's own."""
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
    """Libraries written in Rust (safetensors) have it in the text of an exception of their own."""
    if isinstance(error, OSError):
        return error.errno
    found = re.search(r"\(os error (\d+)\)", str(error))
    return int(found[1]) if found else None
