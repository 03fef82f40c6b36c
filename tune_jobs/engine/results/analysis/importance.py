"""Tell which parameters mattered, over all trials of a search, those stopped early included."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from optuna.study import Study, StudyDirection, create_study
from optuna.trial import FrozenTrial, create_trial

from trainables.datasets.errors import counted
from tune_jobs.engine.search.history import merit, ranked
from tune_jobs.engine.search.unit_cube import lay, place, unit_space

LEAST, ENOUGH = 16, 32
"""Of fewer trials than the first nothing is told, of fewer than the second a hint: the right
parameter came first in a third of replayed searches of 16 trials, and in almost three quarters of
those of 32 (`benchmarks/importance.py`)."""

MOST_TOLD = 3


def rank_parameters(study: Study) -> dict[str, float]:
    """Return the share of the differences between trials that each parameter explains, the largest
    first, by fANOVA (Hutter et al. 2014, https://proceedings.mlr.press/v32/hutter14.html).

    A parameter that fewer than `LEAST` trials had, such as that of an architecture which was hardly
    tried, is left out: see `rare_parameters`.

    Returns:
        Shares that add up to 1; empty where fewer than `LEAST` trials ended with a score, where all
        came to the same, or where no parameter was varied.
    """
    trials = ranked(study)
    if len(trials) < LEAST:
        return {}
    laid = lay_trials(trials, study.direction, without=rare_parameters(study))
    evaluator = FanovaImportanceEvaluator(seed=0)
    return get_param_importances(laid, evaluator=evaluator) if laid else {}


def rare_parameters(study: Study) -> set[str]:
    """Return the parameters that fewer than `LEAST` of the trials had which ended with a score."""
    counts = Counter(name for trial in ranked(study) for name in trial.params)
    return {name for name, count in counts.items() if count < LEAST}


def lay_trials(
    trials: Sequence[FrozenTrial], direction: StudyDirection, without: Collection[str] = ()
) -> Study | None:
    """Make a study of trials that can be compared; `None`: they came to the same, or did the same.

    The value of a trial is its rank: by how far it came, then by its last metric. Numbers are where
    they lie in their ranges, since a range may depend on another parameter. Of a parameter that a
    trial does not have it is given the middle, or the first choice.

    Args:
        without: Parameters that are left out.
    """
    merits = [merit(trial, direction) for trial in trials]
    levels = {value: level for level, value in enumerate(sorted(set(merits)))}
    places = [place(trial) for trial in trials]
    space = unit_space(places)
    params = [lay(found, space) for found in places]
    varied = {
        name: unit
        for name, unit in space.items()
        if name not in without and len({of[name] for of in params}) > 1
    }
    if len(levels) < 2 or not varied:
        return None
    laid = create_study(direction="maximize")
    laid.add_trials(
        [
            create_trial(
                value=levels[value],
                params={name: of[name] for name in varied},
                distributions=varied,
            )
            for value, of in zip(merits, params, strict=True)
        ]
    )
    return laid


def describe_importances(
    importances: Mapping[str, float], num_trials: int, num_rare: int = 0
) -> str:
    """Write for instance `lr 0.62, dropout 0.11, l2 0.08`; or that there are too few trials.

    Args:
        num_trials: The number of trials that ended with a score.
        num_rare: The number of parameters that too few of them had.
    """
    if num_trials < LEAST:
        return f"too few trials to tell: {num_trials} ended with a score, {LEAST} are needed"
    if not importances:
        return "no trial did better than another"
    told = ", ".join(f"{name} {share:.2f}" for name, share in [*importances.items()][:MOST_TOLD])
    if num_trials < ENOUGH:
        told += f" (a hint, of {num_trials} trials)"
    if num_rare:
        told += f"; left out: {counted(num_rare, 'parameter')} that fewer than {LEAST} trials had"
    return told
