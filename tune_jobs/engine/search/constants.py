"""Find what a search space fixes, to tell whether two sessions of a run search the same space."""

from optuna.samplers import RandomSampler
from optuna.study import create_study

from tune_jobs.engine.job import Space

SAMPLES = 32
"""The number of samples in which constants should turn up that are returned under a condition."""

AS_DRAWN = "(as drawn)"
"""Stands for the value of what follows from the parameters, and so differs from draw to draw."""


def find_constants(space: Space) -> dict[str, str]:
    """Sample the space, away from any record; return what it returns: name -> value, as text.

    Draws at which the space raises are passed over here: the search fails such a trial.
    """
    study = create_study(sampler=RandomSampler(seed=0))
    found: dict[str, set[str]] = {}
    for _ in range(SAMPLES):
        try:
            constants = space(study.ask()) or {}
        except Exception:  # noqa: S112 (whatever a user's function raises)
            continue
        for name, value in constants.items():
            found.setdefault(name, set()).add(repr(value))
    return {
        name: min(values) if len(values) == 1 else AS_DRAWN
        for name, values in sorted(found.items())
    }
