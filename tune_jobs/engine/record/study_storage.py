"""Open the storage of a run's studies: a journal file, or a database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, RDBStorage
from optuna.study import Study

from trainables.storage import LocalStorage
from tune_jobs.engine.errors import RequestError, RunError
from tune_jobs.engine.job import Job
from tune_jobs.engine.options import Options
from tune_jobs.engine.record.journal import open_journal
from tune_jobs.engine.run_state.folder import JOURNAL, RunFolder
from tune_jobs.engine.run_state.info import JOURNAL_FILE, RunInfo

if TYPE_CHECKING:
    from sqlalchemy.engine import URL


def open_study_storage(
    job: Job, options: Options, earlier: RunInfo | None, folder: RunFolder
) -> tuple[str, BaseStorage]:
    """Open the storage that `--study` names, or else the one in which the run's record began.

    Returns:
        The storage's name, as `--study` takes it, and the storage.

    Raises:
        RequestError: The storage cannot be opened, is not where this run's record is, or one of the
            run's record and its `run.json` is gone.
    """
    began = earlier.study if earlier else None
    study = options.study or began or JOURNAL_FILE
    storage = open_record_storage(study, folder)
    name = f"{job.name}/{options.run_id}"
    if began and study != began and not has_study(storage, name):
        raise RequestError(
            f"--study = {study!r}: it has no record of {name}, which began in {began!r}: "
            "resume it without --study"
        )
    place = folder.place.uri
    if earlier is None and has_study(storage, name):
        raise RequestError(
            f"--run-id = {options.run_id!r}: {study!r} has a record of {name}, but {place} has no "
            "run.json of that run: put a copy of it back, give the run's --storage, or take "
            "another --run-id"
        )
    if earlier and earlier.runtime and not has_study(storage, name):  # known before any trial
        gone = f"{place}/{JOURNAL}" if study == JOURNAL_FILE else f"its record in {study!r}"
        raise RequestError(
            f"--run-id = {options.run_id!r}: {gone} is gone, or has no trials of that run any "
            "more, and without them it would begin all over: put a copy back, or take another "
            "--run-id"
        )
    return study, storage


def open_record_storage(study: str, folder: RunFolder) -> BaseStorage:
    """Open the storage of all studies of the run in `folder`.

    Args:
        study: `journal`, or a database's URL (https://docs.sqlalchemy.org, Engine Configuration),
            in which Optuna makes its tables.

    Raises:
        RequestError: The database cannot be reached, or the URL has a password in it.
    """
    if study == JOURNAL_FILE:
        return open_journal(folder.journal)
    url = _parse(study)
    if url.password is not None:
        raise RequestError(
            f"--study = {url.render_as_string(hide_password=True)!r}: must hold no password, "
            "since it is written into run.json: give it by the database's own means "
            "(PostgreSQL: PGPASSWORD, or ~/.pgpass)"
        )
    try:
        # An epoch may last for hours: a connection that was closed meanwhile is opened again.
        return RDBStorage(study, engine_kwargs={"pool_pre_ping": True})
    except ImportError as error:
        raise RequestError(
            f"--study = {study!r}: {error}: install the database's driver (PostgreSQL: "
            "pip install 'psycopg[binary]')"
        ) from error
    except Exception as error:  # SQLAlchemy's, its driver's, and Optuna's of another version
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise RequestError(
            f"--study = {study!r}: cannot be opened: {reason}: is the database running, and does "
            "this account reach it?"
        ) from error


@contextmanager
def read_studies(folder: RunFolder, info: RunInfo) -> Iterator[tuple[Study, Study]]:
    """Yield the studies of a run's search and of its retraining, to read.

    Raises:
        RequestError: The storage has no such studies.
    """
    name = f"{info.job}/{info.run_id}"
    storage = open_record_storage(info.study, folder)
    with closing(info.study, storage):
        try:
            search, retrain = (
                optuna.load_study(study_name=suffixed, storage=storage)
                for suffixed in (name, f"{name}/retrain")
            )
        except KeyError as error:
            raise RequestError(f"{folder.place.uri}: its record ({info.study}): {error}") from error
        yield search, retrain


@contextmanager
def closing(study: str, storage: BaseStorage) -> Iterator[None]:
    """Close a database's connections at the end. Where it is out of reach, raise `RunError`: the
    run ends with what to do, and its record stays whole."""
    try:
        yield
    except StorageInternalError as error:
        reason = str(error.__cause__ or error).strip().splitlines()[0]
        raise RunError(
            f"--study = {study!r}: {reason}: mend it, then resume; what has been recorded is whole"
        ) from error
    finally:
        if isinstance(storage, RDBStorage):
            storage.remove_session()
            storage.engine.dispose()


def dashboard_storage(study: str, folder: RunFolder) -> str | None:
    """Return the storage as optuna-dashboard takes it; `None` for a journal in an object store."""
    if study != JOURNAL_FILE:
        return study
    return str(folder.journal) if isinstance(folder.place, LocalStorage) else None


def has_study(storage: BaseStorage, name: str) -> bool:
    return name in optuna.get_all_study_names(storage)


def _parse(study: str) -> "URL":
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(study)
    except ArgumentError as error:
        raise RequestError(
            f"--study: must be {JOURNAL_FILE!r} or a database's URL, such as "
            "postgresql://user@host/database"
        ) from error
