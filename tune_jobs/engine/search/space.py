"""A search space, looked at before anything is searched."""

from collections.abc import Mapping
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import RandomSampler
from optuna.study import create_study

from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job import Job, Space

SAMPLES = 32


def check_space(space: Space) -> dict[str, BaseDistribution]:
    """Sample the space, away from any record -> the distributions that it suggests from.

    Names that are suggested under a condition alone are found by sampling more than once.
    """
    if "<" in space.__qualname__:
        raise RequestError(
            f"space = {space.__qualname__}: must be a function at the top of a module, "
            "since workers find it by name"
        )
    study = create_study(sampler=RandomSampler(seed=0))
    distributions: dict[str, BaseDistribution] = {}
    for _ in range(SAMPLES):
        trial = study.ask()
        try:
            space(trial)
        except Exception as error:
            name = f"{space.__module__}.{space.__qualname__}"
            raise RequestError(f"space = {name}: it fails when sampled: {error!r}") from error
        distributions |= trial.distributions
    return distributions


def architectures_of(job: Job, distributions: Mapping[str, Any]) -> list[str]:
    """The job's own, and those that its space or a published configuration names besides."""
    named = [job.architecture, *(p.config.get("architecture") for p in job.published)]
    if "architecture" in distributions:
        named += distributions["architecture"].choices
    return list(dict.fromkeys(filter(None, named)))
