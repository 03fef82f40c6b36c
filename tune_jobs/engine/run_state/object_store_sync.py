"""Copy the files that the driver appends to into an object store, which cannot append."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_ISREG

from trainables.storage import LocalStorage, StorageError
from tune_jobs.engine.errors import RunError
from tune_jobs.engine.run_state.folder import JOURNAL, RunFolder
from tune_jobs.engine.run_state.periodic import repeating

EVERY_SECONDS = 30.0
"""Files are copied this often: a machine that is lost takes so much of the record with it."""


@contextmanager
def mirrored(folder: RunFolder, is_held: Callable[[], bool] = lambda: True) -> Iterator[None]:
    """Fetch the journal and TensorBoard's logs from the run's place, and copy them there every
    `EVERY_SECONDS` and at the end, however that comes. A run in a folder needs no copies.

    Args:
        is_held: Tells whether the run is still this process's: where another one has taken it over,
            the record at the place is that one's, and is left as it is.

    Raises:
        RunError: The last copy failed; the files are kept here, and the message says where.
    """
    if isinstance(folder.place, LocalStorage):
        yield
        return
    folder.fetch()
    copies = _Copies(folder, is_held)
    try:
        with repeating(copies.update, EVERY_SECONDS):
            yield
    finally:
        try:
            copies.update()
        except StorageError as error:
            kept = Path(tempfile.mkdtemp(prefix="run-"))
            shutil.copytree(folder.local, kept, dirs_exist_ok=True)
            raise RunError(
                f"the record could not be copied: {error}: copy what is in {kept} to "
                f"{folder.place.uri}, then resume"
            ) from error


class _Copies:
    """Copies files that have changed: it keeps each one's (size, time) as it was when copied."""

    def __init__(self, folder: RunFolder, is_held: Callable[[], bool]) -> None:
        self._folder = folder
        self._is_held = is_held
        self._done = self._found()

    def update(self) -> bool:
        """Copy what has changed, remove what is gone, and return `True`, to be called again as long
        as the run is this process's.

        The journal comes first: a run resumes from it, and can do without TensorBoard's logs.
        """
        found = self._found()
        if found == self._done:
            return True
        if not self._is_held():
            return False
        for name in sorted(found, key=lambda name: (name != JOURNAL, name)):
            if self._done.get(name) != found[name]:
                with suppress(FileNotFoundError):  # replaced by the driver at this moment
                    self._copy(name)
                    self._done[name] = found[name]
        for name in self._done.keys() - found.keys():
            self._folder.place.remove(name)
            del self._done[name]
        return True

    def _copy(self, name: str) -> None:
        content = (self._folder.local / name).read_bytes()
        if name == JOURNAL:  # the driver may be amid a line: copy whole ones, the rest comes next
            content = content[: content.rfind(b"\n") + 1]
        self._folder.place.write(name, content)

    def _found(self) -> dict[str, tuple[int, int]]:
        found = {}
        for file in (self._folder.journal, *self._folder.tensorboard.rglob("*")):
            with suppress(FileNotFoundError):
                status = file.stat()
                if S_ISREG(status.st_mode):
                    name = str(file.relative_to(self._folder.local))
                    found[name] = status.st_size, status.st_mtime_ns
        return found
