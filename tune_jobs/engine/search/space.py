"""Look into a search space before anything is searched: its names, ranges and architectures."""

from collections.abc import Mapping
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import RandomSampler
from optuna.study import create_study
from optuna.trial import FixedTrial

from trainables.config import Configuration, number_entries
from trainables.config.validation import nearest
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job import Job, Space

SAMPLES = 32
"""The number of samples in which names should turn up that are suggested under a condition."""


def check_space(space: Space) -> dict[str, BaseDistribution]:
    """Sample the space, away from any record; return the distributions that it suggests from.

    Names that are suggested under a condition alone are found by sampling more than once.

    Raises:
        RequestError: The space cannot be imported by name, or fails when it is sampled.
    """
    if "<" in space.__qualname__:  # `<lambda>`, `<locals>`
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


def check_names(
    distributions: Mapping[str, BaseDistribution], defaults: Mapping[str, Configuration]
) -> None:
    """Raise a `RequestError` for what a space suggests and no configuration has.

    Args:
        defaults: The default configuration of every architecture that the space may choose.
    """
    known = {n for default in defaults.values() for n in (*default, *number_entries(default))}
    unknown = sorted(distributions.keys() - known)
    if unknown:
        names = ", ".join(f"{name!r}{nearest(name, sorted(known))}" for name in unknown)
        raise RequestError(
            f"space: it suggests what {' or '.join(defaults)} does not have: {names}"
        )


def replay(space: Space, config: Configuration) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run `space` on a given configuration; return (suggested parameters, constants).

    Args:
        config: A configuration by numbered names: `filters_1`, not `filters`.

    Raises:
        RequestError: The space does not give this configuration.
    """
    trial = FixedTrial(dict(config))
    try:
        constants = dict(space(trial) or {})  # type: ignore[arg-type]
    except ValueError as error:
        raise RequestError(
            f"space = {space.__module__}.{space.__qualname__}: it cannot give a configuration that "
            f"is tried first: {_name_misfits(space, config) or error}: widen it, or say in the "
            "job's `published` what to try first"
        ) from error
    return {name: config[name] for name in trial.params}, constants


def _name_misfits(space: Space, config: Configuration) -> str:
    """The values of `config` that are none of the choices."""
    return "; ".join(
        f"{name} = {config[name]!r}: must be one of {', '.join(map(str, distribution.choices))}"
        for name, distribution in check_space(space).items()
        if isinstance(distribution, CategoricalDistribution)
        and name in config
        and config[name] not in distribution.choices
    )


def architectures_of(job: Job, distributions: Mapping[str, BaseDistribution]) -> list[str]:
    """List the job's own architecture, and those that its space or a published one names."""
    named = [job.architecture]
    named += [p.config["architecture"] for p in job.published if "architecture" in p.config]
    suggested = distributions.get("architecture")
    if isinstance(suggested, CategoricalDistribution):
        named += map(str, suggested.choices)
    return list(dict.fromkeys(named))
