"""Write files aside until they are whole; leave nothing behind where that is cut off."""

import fcntl
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def unfinished_folder(parent: Path) -> Iterator[Path]:
    """Yield a new folder in `parent`, which is removed at the end with what is still in it.

    Those that killed processes of this machine have left there are removed first. Each has a file
    beside it, `NAME.lock`, whose lock (flock) ends with its process.
    """
    prefix = f"unfinished-{socket.gethostname()}-"
    for left in parent.glob(f"{prefix}*"):
        if left.is_dir() and "-" not in left.name.removeprefix(prefix):  # host `a` is not `a-b`
            _remove_unless_held(left)
    with tempfile.NamedTemporaryFile(prefix=prefix, suffix=".lock", dir=parent) as lock:
        with suppress(OSError):  # of a disk without locks, where no folder is taken for left
            fcntl.flock(lock, fcntl.LOCK_EX)
        folder = Path(lock.name.removesuffix(".lock"))
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder)


def _remove_unless_held(folder: Path) -> None:
    beside = folder.with_name(f"{folder.name}.lock")
    with suppress(OSError), beside.open("r+b") as lock:  # it is held, or of another user
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
        beside.unlink()
