"""A search space, looked at before anything is searched."""

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


def find_unknown_names(
    distributions: Mapping[str, BaseDistribution], defaults: Mapping[str, Configuration]
) -> str | None:
    """Name, a line each, what the space suggests and no configuration has; `None` if all is known.

    Args:
        defaults: The default configuration of every architecture that the space may choose.
    """
    known = {
        name for default in defaults.values() for name in {**default, **number_entries(default)}
    }
    unknown = sorted(distributions.keys() - known)
    return (
        "\n".join(
            f"space: it suggests {name!r}, which {' and '.join(defaults)} cannot take"
            f"{nearest(name, sorted(known))}"
            for name in unknown
        )
        or None
    )


def replay(space: Space, config: Configuration) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `space` makes of a configuration, by numbered names: (suggested parameters, constants).

    Raises:
        ValueError: The space suggests a name that `config` lacks.
    """
    trial = FixedTrial(dict(config))
    constants = dict(space(trial) or {})  # type: ignore[arg-type]
    return {name: config[name] for name in trial.params}, constants


def architectures_of(job: Job, distributions: Mapping[str, BaseDistribution]) -> list[str]:
    """The job's own architecture, and those that its space or a published configuration names."""
    named = [job.architecture]
    named += [p.config["architecture"] for p in job.published if "architecture" in p.config]
    suggested = distributions.get("architecture")
    if isinstance(suggested, CategoricalDistribution):
        named += map(str, suggested.choices)
    return list(dict.fromkeys(named))
