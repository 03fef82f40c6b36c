"""Look into a search space: what it suggests and returns, and whether it gives a configuration."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import isfunction
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import RandomSampler
from optuna.study import create_study
from optuna.trial import BaseTrial, FixedTrial, Trial

from searchspaces.joined import JoinedSpace, joined_names, plain_name
from trainables.config import Configuration, complete_config
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job import Job, Space
from tune_jobs.engine.search.nearest_value import nearest_value

SAMPLES = 32
"""The number of samples in which names should turn up that are suggested under a condition."""

MOST_FAILURES = 1 / 8
"""A space that fails for a larger share of its samples is refused; for a smaller one, such trials
alone fail."""

STORED = (type(None), bool, int, float, str)
"""The types of choices that Optuna's record holds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """Holds what a space gives for one trial.

    Attributes:
        params: What it suggests, a tuple by numbered names, each name as the space has it.
        constants: What it returns.
    """

    params: Mapping[str, Any]
    constants: Mapping[str, Any]

    @property
    def flat(self) -> dict[str, Any]:
        """Return both by the names of a configuration."""
        return {plain_name(n): value for n, value in {**self.params, **self.constants}.items()}

    def configuration(
        self, architecture: str, defaults: Mapping[str, Configuration]
    ) -> dict[str, Any]:
        """Lay the proposal over the defaults of its architecture, `architecture` unless it names
        one."""
        given = {"architecture": architecture, **self.flat}
        return complete_config(defaults.get(given["architecture"], {}), given)


@dataclass(frozen=True, kw_only=True, slots=True)
class Replayed(Proposal):
    """Holds what a space gives that lies nearest to a configuration.

    Attributes:
        moved: The names, of a configuration, whose wanted value the space does not hold, and what
            it suggests from.
    """

    moved: Mapping[str, BaseDistribution]


@dataclass(frozen=True, kw_only=True, slots=True)
class SpaceSample:
    """Holds what samples have shown of a space.

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

    @property
    def num_samples(self) -> int:
        return len(self.proposals) + len(self.failures)


def name_of(space: Space) -> str:
    if isinstance(space, JoinedSpace):
        return " | ".join(map(name_of, space.spaces.values()))
    return f"{space.__module__}.{space.__qualname__}"


def draw_samples(space: Space) -> Iterator[Trial]:
    """Draw `SAMPLES` trials away from any record; of a joined space so many for each architecture,
    in turn."""
    study = create_study(sampler=RandomSampler(seed=0))
    architectures: tuple[str | None, ...] = (None,)
    if isinstance(space, JoinedSpace):
        architectures = tuple(space.spaces)
    for _ in range(SAMPLES):
        for architecture in architectures:
            if architecture is not None:
                study.enqueue_trial({"architecture": architecture})
            yield study.ask()


def sample_space(space: Space) -> SpaceSample:
    """Sample the space, away from any record.

    Names that are suggested under a condition alone are found by sampling more than once.

    Raises:
        RequestError: The space cannot be imported by name, fails when it is sampled, or suggests
            from choices that a record cannot hold.
    """
    _check_functions(space)
    distributions: dict[str, BaseDistribution] = {}
    proposals, failures = [], []
    for trial in draw_samples(space):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # on choices of other types: refused below
                constants = constants_of(space, trial)
            proposals.append(Proposal(params=trial.params, constants=constants))
        except Exception as error:
            failures.append(repr(error))
        distributions |= trial.distributions
        _check_choices(space, trial.distributions)
    sample = SpaceSample(distributions=distributions, proposals=proposals, failures=failures)
    if len(failures) > MOST_FAILURES * sample.num_samples:
        raise RequestError(
            f"space = {name_of(space)}: it fails for {len(failures)} of {sample.num_samples} "
            f"samples: {failures[0]}"
        )
    return sample


def _check_functions(space: Space) -> None:
    """Raise a `RequestError` for what is no function at the top of a module, nor joins such."""
    for part in space.spaces.values() if isinstance(space, JoinedSpace) else (space,):
        named = getattr(part, "__qualname__", repr(part))
        if not isfunction(part) or "<" in named:  # `<lambda>`, `<locals>`
            raise RequestError(
                f"space = {named}: must be a function at the top of a module, which `run.json` and "
                "a resumed run know by its name: write `def space(trial): ...` that calls it"
            )


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
                    f"suggest it entry by entry, `{name}_1`, `{name}_2`, ... (0 leaves one out), "
                    "or choose a word and return the tuple for it"
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
    is_joined = isinstance(space, JoinedSpace)
    trial = _NearestTrial({**config, **joined_names(config)} if is_joined else config)
    try:
        constants = constants_of(space, trial)
    except Exception as error:
        raise RequestError(
            f"space = {name_of(space)}: it fails for a configuration that is tried first: {error}"
        ) from error
    moved = {plain_name(name): distribution for name, distribution in trial.moved.items()}
    return Replayed(params=trial.params, constants=constants, moved=moved)


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
