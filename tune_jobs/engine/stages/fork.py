"""Begin a run with what another one has found."""

from trainables.config import Configuration
from trainables.metrics import METRICS
from trainables.storage import Storage
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job import Job
from tune_jobs.engine.options import Options
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.record.study_storage import read_studies
from tune_jobs.engine.run_state.folder import place_of, run_folder
from tune_jobs.engine.stages.candidates import pair_name


def forked_configurations(job: Job, options: Options, storage: Storage) -> list[Configuration]:
    """Return the configurations of the run that `--fork` names which came to its full budget, the
    best first.

    That run is only read. Its data, space and budget may differ from this one's.

    Raises:
        RequestError: There is no such run of this job, or no trial of it came to its full budget.
    """
    if options.fork == options.run_id:
        raise RequestError(f"--fork = {options.fork!r}: that is this run: --resume continues it")
    with run_folder(place_of(storage, job.name, str(options.fork))) as other:
        info = other.read_info()
        other.fetch()
        if info is None:
            raise RequestError(
                f"--fork = {options.fork!r}: there is no such run: {other.place.uri}"
            )
        with read_studies(other, info) as (search, _):
            best = Record(search, pair_name, METRICS[info.metric]).best()
    if not best:
        raise RequestError(
            f"--fork = {options.fork!r}: no trial of that run came to its full budget"
        )
    return [trial.config for trial in best if trial.config]
