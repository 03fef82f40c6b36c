"""Find, read and write a run's folder: `<storage>/runs/<job>/<run id>/`."""

import json
import shutil
import tempfile
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from trainables.storage import LocalStorage, Storage, open_storage, split_options
from trainables.trials.watchdog import HANG_FILE
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.run_state.definitions import import_definitions
from tune_jobs.engine.run_state.info import RunInfo
from tune_jobs.engine.run_state.lease import LEASE
from tune_jobs.engine.run_state.replaced import read_json

INFO = "run.json"
JOURNAL = "study.journal"
TENSORBOARD = "tensorboard"
CHECKPOINTS = "checkpoints"


def retraining_name(trial_number: int, seed: int) -> str:
    return f"retrain-{trial_number:04d}-seed-{seed}"


def retraining_place(run: Storage, trial_number: int, seed: int) -> Storage:
    """Return the place of a retraining's model and predictions, below its run's place."""
    return run.child(f"{CHECKPOINTS}/{retraining_name(trial_number, seed)}")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Gives access to a run's files.

    Attributes:
        place: The place of all files, as the workers and other machines see them.
        local: The folder of the files that the driver appends to (the journal, TensorBoard's
            logs): the same one, or a temporary one that `mirrored` copies to an object store.
    """

    place: Storage
    local: Path

    @property
    def journal(self) -> Path:
        return self.local / JOURNAL

    @property
    def tensorboard(self) -> Path:
        return self.local / TENSORBOARD

    @property
    def checkpoints(self) -> Storage:
        return self.place.child(CHECKPOINTS)

    def fetch(self) -> None:
        """Copy the local files that an earlier session has left in an object store."""
        if isinstance(self.place, LocalStorage):
            return
        for name in self.place.names():
            if name == JOURNAL or name.startswith(f"{TENSORBOARD}/"):
                target = self.local / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(self.place.read(name))

    def copy_journal(self) -> None:
        """Copy the journal into an object store now: `mirrored` may come too late."""
        if self.journal.exists() and not isinstance(self.place, LocalStorage):
            self.place.write(JOURNAL, self.journal.read_bytes())

    def create(self) -> None:
        """Make the folder; raise `RequestError` where the storage cannot be written."""
        try:
            self.place.write(".writable", b"there is room")
            self.place.remove(".writable")
        except OSError as error:
            raise RequestError(
                f"--storage: {self.place.uri} cannot be written ({error.strerror or error}): "
                "give a place of yours, with room"
            ) from error

    def discard_unbegun(self) -> None:
        """Remove all that a request has left which was refused before anything was trained.

        Its lease must be held: another process may have begun a run of this name.
        """
        info = self.read_info()
        if info is not None and info.runtime is not None:
            return
        shutil.rmtree(self.tensorboard, ignore_errors=True)
        self.journal.unlink(missing_ok=True)
        if not isinstance(self.place, LocalStorage):
            for name in self.place.names():
                if name != LEASE:  # its holder removes it
                    self.place.remove(name)
            return
        shutil.rmtree(self.place.path)
        with suppress(OSError):  # other runs are there
            for folder in (self.place.path.parent, self.place.path.parent.parent):
                folder.rmdir()

    def drop_checkpoints(self, name: str) -> None:
        """Remove an ended trial's checkpoints; what it exported stays."""
        _drop_checkpoints(self.checkpoints.child(name), lambda _: True)

    def drop_checkpoints_but(self, names: Container[str]) -> None:
        """Remove all checkpoints but those of the trials in `names`, which have not ended.

        An earlier session may have died between a trial's end and `drop_checkpoints`.
        """
        _drop_checkpoints(self.checkpoints, lambda file: file.partition("/")[0] not in names)

    def read_hang(self, name: str) -> str | None:
        """Say where a trial was when the watchdog ended it; return `None` where it did not."""
        try:
            text = self.checkpoints.child(name).read(HANG_FILE).decode(errors="replace")
        except FileNotFoundError:
            return None
        places = [line.strip() for line in text.splitlines() if line.startswith("  File")]
        if not places:
            return None
        return f"no progress within --trial-timeout; it was at {places[0]}"

    def read_info(self) -> RunInfo | None:
        """Read the `run.json` of an earlier session; return `None` where there is none.

        Raises:
            RequestError: The storage cannot be read, the file is damaged, or it names a metric that
                is added by a module which cannot be imported.
        """
        try:
            stored = read_json(self.place, INFO)
            import_definitions(stored)
            return RunInfo.from_json(stored)
        except RequestError:
            raise
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RequestError(
                f"--storage: it cannot be read: {error}: give a place in reach"
            ) from error
        except ValueError as error:
            raise RequestError(
                f"{self.place.uri}/{INFO}: it is damaged ({error}): put a copy of it back, or "
                "begin a new run"
            ) from error

    def write_info(self, info: RunInfo) -> None:
        self.place.write(INFO, (json.dumps(info.to_json(), indent=2) + "\n").encode())


def _drop_checkpoints(place: Storage, is_meant: Callable[[str], bool]) -> None:
    for file in place.names():
        if file.endswith((".pt", ".tmp")) and is_meant(file):
            place.remove(file)


def open_place(uri: str | Path) -> Storage:
    """Open the place that `--storage` names; raise `RequestError` where that cannot be done."""
    try:
        return open_storage(uri)
    except (ValueError, OSError) as error:
        raise RequestError(
            f"--storage = {str(uri)!r}: {error}: give a folder, or a URI such as s3://bucket/prefix"
        ) from error


def place_of(storage: Storage, job: str, run_id: str) -> Storage:
    return storage.child(f"runs/{job}/{run_id}")


def storage_of(run: Storage) -> Storage:
    """Return the storage in which a run's place is: the inverse of `place_of`."""
    if isinstance(run, LocalStorage):
        return LocalStorage((run.path / "../../..").resolve())
    base, options = split_options(run.uri)
    return open_place(f"{base.rsplit('/', 3)[0]}{options}")


@contextmanager
def run_folder(place: Storage) -> Iterator[RunFolder]:
    """Yield the folder of the run whose files are at `place`.

    A run in an object store gets a temporary folder for the files that are appended to; `fetch`
    fills it.
    """
    if isinstance(place, LocalStorage):
        yield RunFolder(place, place.path)
        return
    with tempfile.TemporaryDirectory(prefix="run-") as local:
        yield RunFolder(place, Path(local))
