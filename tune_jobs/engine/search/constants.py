"""Find what a search space fixes, to tell whether two sessions of a run search the same space."""

from tune_jobs.engine.job import Space
from tune_jobs.engine.search.space import draw_samples

AS_DRAWN = "(as drawn)"
"""Stands for the value of what follows from the parameters, and so differs from draw to draw."""


def find_constants(space: Space) -> dict[str, str]:
    """Sample the space, away from any record; return what it returns: name -> value, as text.

    Draws at which the space raises are passed over here: the search fails such a trial.
    """
    found: dict[str, set[str]] = {}
    for trial in draw_samples(space):
        try:
            constants = space(trial) or {}
        except Exception:  # noqa: S112 (whatever a user's function raises)
            continue
        for name, value in constants.items():
            found.setdefault(name, set()).add(repr(value))
    return {
        name: min(values) if len(values) == 1 else AS_DRAWN
        for name, values in sorted(found.items())
    }
