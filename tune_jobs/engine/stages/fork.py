"""A run that begins with what another one has found."""

from typing import Any

from optuna.trial import TrialState

from trainables.storage import Storage
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job import Job
from tune_jobs.engine.options import Options
from tune_jobs.engine.run.folder import place_of, run_folder
from tune_jobs.engine.search.study_storage import read_studies


def forked_configurations(job: Job, options: Options, storage: Storage) -> list[dict[str, Any]]:
    """The configurations of the `--retrain-top` best trials of the run that `--fork` names.

    That run is only read. Its data, space and budget may differ from this one's.

    Raises:
        RequestError: There is no such run of this job, or no trial of it came to its full budget.
    """
    if options.fork == options.run_id:
        raise RequestError(f"--fork = {options.fork!r}: that is this run: --resume continues it")
    with run_folder(place_of(storage, job.name, str(options.fork))) as other:
        facts = other.read_facts()
        other.fetch()
        if facts is None:
            raise RequestError(
                f"--fork = {options.fork!r}: there is no such run: {other.place.uri}"
            )
        with read_studies(other, facts) as (search, _):
            complete = search.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if not complete:
        raise RequestError(
            f"--fork = {options.fork!r}: no trial of that run came to its full budget"
        )
    best = sorted(complete, key=lambda t: (-(t.value or 0.0), t.number))
    return [dict(t.user_attrs["config"]) for t in best[: options.retrain_top]]
