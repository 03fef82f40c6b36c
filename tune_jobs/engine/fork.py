"""A run that begins with what another one has found."""

from typing import Any

import optuna
from optuna.trial import TrialState

from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.options import Options
from tune_jobs.engine.run_folder import RunFolder
from tune_jobs.engine.search.journal import open_journal


def forked_configurations(options: Options, folder: RunFolder) -> list[dict[str, Any]]:
    """The configurations of the `--retrain-top` best trials of the run that `--fork` names.

    That run is only read. Its data, space and budget may differ from this one's.

    Raises:
        RequestError: There is no such run of this job, or no trial of it came to its full budget.
    """
    other = RunFolder(folder.path.parent / str(options.fork))
    if other == folder:
        raise RequestError(f"--fork = {options.fork!r}: that is this run: --resume continues it")
    if not other.journal.exists():
        raise RequestError(f"--fork = {options.fork!r}: there is no such run: {other.path}")
    study = optuna.load_study(
        study_name=f"{folder.path.parent.name}/{options.fork}",
        storage=open_journal(other.journal),
    )
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if not complete:
        raise RequestError(
            f"--fork = {options.fork!r}: no trial of that run came to its full budget"
        )
    best = sorted(complete, key=lambda t: (-(t.value or 0.0), t.number))
    return [dict(t.user_attrs["config"]) for t in best[: options.retrain_top]]
