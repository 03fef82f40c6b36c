"""Hold a run's folder for as long as a session of the run works in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from trainables.storage import LocalStorage, OtherDiskError, Storage, patient, to_storage_error
from tune_jobs.engine.errors import RequestError, no_room
from tune_jobs.engine.options import Options
from tune_jobs.engine.run_state.folder import RunFolder
from tune_jobs.engine.run_state.info import RunInfo
from tune_jobs.engine.run_state.lease import lease
from tune_jobs.engine.run_state.object_store_sync import mirrored


def read_earlier(folder: RunFolder, options: Options) -> RunInfo | None:
    """Read what an earlier session of the run has left; raise `RequestError` where `--resume`
    names none."""
    earlier = folder.read_info()
    if options.resume and earlier is None:
        raise RequestError(
            f"--resume = {options.run_id!r}: there is no such run: {folder.place.uri}"
        )
    return earlier


@contextmanager
def held(folder: RunFolder, storage: Storage, options: Options) -> Iterator[RunFolder]:
    """Hold the lease of a run, and yield its folder, whose record is copied to an object store."""
    folder.create()
    # The store has answered once: from here on it is waited for where it is out of reach.
    folder = replace(folder, place=patient(folder.place))
    with (
        disk_errors(storage, options.storage),
        lease(folder.place, options.run_id) as is_held,  # before the record is fetched
        mirrored(folder, is_held),
    ):
        yield folder


@contextmanager
def nothing_left_if_refused(folder: RunFolder, earlier: RunInfo | None) -> Iterator[None]:
    """Discard what a request that is refused has made, unless an earlier session's is there."""
    try:
        yield
    except RequestError:
        if earlier is None:
            folder.discard_unbegun()
        raise


@contextmanager
def disk_errors(storage: Storage, asked: str) -> Iterator[None]:
    """Raise `RunError` where a disk is full or a store is out of reach: the run ends with what to
    do, and its record stays whole.

    Args:
        asked: The text of `--storage`.
    """
    try:
        yield
    except OSError as error:
        folder = storage.path if isinstance(storage, LocalStorage) else None
        found = to_storage_error(error, folder)
        if found is None:
            raise
        is_other_disk = isinstance(found, OtherDiskError)
        raise no_room(asked, str(found), is_other_disk=is_other_disk) from error
