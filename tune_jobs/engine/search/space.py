"""Look into a search space: what it suggests and returns, and whether it gives a configuration."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import isfunction
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import RandomSampler
from optuna.study import create_study
from optuna.trial import BaseTrial, FixedTrial

from trainables.config import Configuration, complete_config
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job import Job, Space
from tune_jobs.engine.search.nearest_value import nearest_value

SAMPLES = 32
"""The number of samples in which names should turn up that are suggested under a condition."""

MOST_FAILURES = SAMPLES // 8
"""A space that fails for more of its samples is refused; for fewer, such trials alone fail."""

STORED = (type(None), bool, int, float, str)
"""The types of choices that Optuna's record holds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """Holds what a space gives for one trial.

    Attributes:
        params: What it suggests, a tuple by numbered names.
        constants: What it returns.
    """

    params: Mapping[str, Any]
    constants: Mapping[str, Any]

    def configuration(
        self, architecture: str, defaults: Mapping[str, Configuration]
    ) -> dict[str, Any]:
        """Lay the proposal over the defaults of its architecture, `architecture` unless it names
        one."""
        given = {"architecture": architecture, **self.params, **self.constants}
        return complete_config(defaults.get(given["architecture"], {}), given)


@dataclass(frozen=True, kw_only=True, slots=True)
class Replayed(Proposal):
    """Holds what a space gives that lies nearest to a configuration.

    Attributes:
        moved: The names whose wanted value the space does not hold, and what it suggests from.
    """

    moved: Mapping[str, BaseDistribution]


@dataclass(frozen=True, kw_only=True, slots=True)
class SpaceSample:
    """Holds what `SAMPLES` samples have shown of a space.

    Attributes:
        distributions: The distributions that it suggests from, by name.
        proposals: What it gave.
        failures: The errors of samples for which it failed.
    """

    distributions: Mapping[str, BaseDistribution]
    proposals: Sequence[Proposal]
    failures: Sequence[str] = ()

    @property
    def constants(self) -> dict[str, Any]:
        """Return every name that the space returns, with a value."""
        return {n: v for proposal in self.proposals for n, v in proposal.constants.items()}


def name_of(space: Space) -> str:
    return f"{space.__module__}.{space.__qualname__}"


def sample_space(space: Space) -> SpaceSample:
    """Sample the space, away from any record.

    Names that are suggested under a condition alone are found by sampling more than once.

    Raises:
        RequestError: The space cannot be imported by name, fails when it is sampled, or suggests
            from choices that a record cannot hold.
    """
    if not isfunction(space) or "<" in space.__qualname__:  # `<lambda>`, `<locals>`
        named = getattr(space, "__qualname__", repr(space))
        raise RequestError(
            f"space = {named}: must be a function at the top of a module, which `run.json` and a "
            "resumed run know by its name: write `def space(trial): ...` that calls it"
        )
    study = create_study(sampler=RandomSampler(seed=0))
    distributions: dict[str, BaseDistribution] = {}
    proposals, failures = [], []
    for _ in range(SAMPLES):
        trial = study.ask()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # on choices of other types: refused below
                constants = constants_of(space, trial)
            proposals.append(Proposal(params=trial.params, constants=constants))
        except Exception as error:
            failures.append(repr(error))
        distributions |= trial.distributions
        _check_choices(space, trial.distributions)
    if len(failures) > MOST_FAILURES:
        raise RequestError(
            f"space = {name_of(space)}: it fails for {len(failures)} of {SAMPLES} samples: "
            f"{failures[0]}"
        )
    return SpaceSample(distributions=distributions, proposals=proposals, failures=failures)


def constants_of(space: Callable[[Any], Any], trial: BaseTrial) -> dict[str, Any]:
    """Have the space suggest a trial's parameters; return its constants.

    Raises:
        TypeError: What it returns is no mapping.
    """
    returned = space(trial)
    if returned is None:
        return {}
    if not isinstance(returned, Mapping):
        raise TypeError(
            f"it returns {returned!r}: must be a dict of what is fixed for all trials, or nothing"
        )
    return dict(returned)


def _check_choices(space: Space, distributions: Mapping[str, BaseDistribution]) -> None:
    """Raise a `RequestError` for choices that would not come back from the record as they were."""
    for name, distribution in distributions.items():
        choices: Sequence[Any] = (
            distribution.choices if isinstance(distribution, CategoricalDistribution) else ()
        )
        other: list[Any] = [choice for choice in choices if not isinstance(choice, STORED)]
        if other:
            remedy = "give Python's own numbers: int(x), float(x) or array.tolist()"
            if isinstance(other[0], (list, tuple)):
                remedy = (
                    f"suggest it entry by entry, `{name}_1`, `{name}_2`, ..., where 0 ends it, or "
                    "choose a word and return the tuple for it"
                )
            raise RequestError(
                f"space = {name_of(space)}: {name}: the choice {other[0]!r} is of type "
                f"{type(other[0]).__name__}: must be None, bool, int, float or str, since the "
                f"record holds no others: {remedy}"
            )


class _NearestTrial(FixedTrial):
    """A trial with given parameters, each moved to the nearest value that the space holds.

    Optuna has no call for this: `FixedTrial` warns of a number out of its range and returns it, or
    raises an error that names no parameter. All its `suggest_*` come to `_suggest`.
    """

    def __init__(self, wanted: Mapping[str, Any]) -> None:
        super().__init__(dict(wanted))
        self.moved: dict[str, BaseDistribution] = {}

    def _suggest(self, name: str, distribution: BaseDistribution) -> Any:
        if name in self._params:
            taken = nearest_value(distribution, self._params[name])
            if taken != self._params[name]:
                self.moved[name] = distribution
                self._params[name] = taken
        return super()._suggest(name, distribution)


def replay(space: Space, config: Configuration) -> Replayed:
    """Run `space` on a given configuration, or on the one nearest to it that the space holds.

    Args:
        config: A configuration by numbered names: `filters_1`, not `filters`.

    Raises:
        RequestError: The configuration lacks a name, or the space fails for it.
    """
    trial = _NearestTrial(config)
    try:
        constants = constants_of(space, trial)
    except Exception as error:
        raise RequestError(
            f"space = {name_of(space)}: it fails for a configuration that is tried first: {error}"
        ) from error
    return Replayed(params=trial.params, constants=constants, moved=trial.moved)


def architectures_of(job: Job, sample: SpaceSample) -> list[str]:
    """List the job's own architecture, and those that its space or a published one names."""
    named = [job.architecture]
    named += [p.config["architecture"] for p in job.published if "architecture" in p.config]
    suggested = sample.distributions.get("architecture")
    if isinstance(suggested, CategoricalDistribution):
        named += map(str, suggested.choices)
    named += [
        p.constants["architecture"] for p in sample.proposals if "architecture" in p.constants
    ]
    return list(dict.fromkeys(named))
