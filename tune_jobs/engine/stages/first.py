"""Say what a search tries before its sampler is asked, and fit that into the search space."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from optuna.distributions import BaseDistribution

from searchspaces.joined import JoinedSpace, joined_names
from trainables.config import Configuration, complete_config, number_entries
from trainables.config.validation import to_json
from trainables.registry import is_estimator, recipe_of
from trainables.trials.report import TrainingCost
from tune_jobs.engine.job import Job, Origin, Published, Space
from tune_jobs.engine.record.recorded_trial import RecordedTrial
from tune_jobs.engine.search.nearest_value import describe
from tune_jobs.engine.search.space import replay


@dataclass(frozen=True, kw_only=True, slots=True)
class FirstConfiguration:
    """Describes a configuration that is tried before the sampler is asked.

    Attributes:
        config: The configuration, over the defaults of its architecture.
        published: The report's entry for it, where it is a report's.
        source: Where it is from, as the record names it, if neither a report nor a default says it.
    """

    config: Configuration
    origin: Origin
    published: Published | None = None
    source: Literal["", "recipe", "fork", "portfolio"] = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Misfit:
    """Describes a value of a first configuration that the space does not give.

    Attributes:
        taken: The value that is trained in its place.
        held: What the space suggests from, in words; `None`: it does not suggest this name.
    """

    name: str
    wanted: Any
    taken: Any
    held: str | None

    def __str__(self) -> str:
        why = f"the space holds {self.held}" if self.held else "the space does not suggest it"
        return f"{self.name} = {self.wanted!r}: {why}, and would train {self.taken!r}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Fitted:
    """Holds what the space gives that is nearest to a first configuration.

    Attributes:
        params: What it suggests.
        config: The complete configuration.
        misfits: The values that are not the first configuration's.
    """

    params: Mapping[str, Any]
    config: Configuration
    misfits: tuple[Misfit, ...]


def is_tried(first: FirstConfiguration, fitted: Fitted, trials: Sequence[RecordedTrial]) -> bool:
    """Return whether a first configuration is among the trials of a search.

    A published one is known by its name in the report, so that one which was added to the job since
    an earlier session is tried too; a default by its architecture; one of another run by all that
    is trained, since what a space returns for the same parameters may have changed. A report's
    trials do not count for that: at rungs they are compared with each other alone.
    """
    begun = [trial for trial in trials if not trial.is_left_out]
    if first.origin == "search":
        config = to_json(fitted.config)
        return any(
            trial.params == fitted.params and trial.config in (None, config)  # `None`: it waits
            for trial in begun
            if trial.origin != "published"
        )
    same_origin = [trial for trial in begun if trial.origin == first.origin]
    if first.published:
        names = [trial.published.name for trial in same_origin if trial.published]
        return first.published.name in names
    architecture = fitted.params.get("architecture")
    return any(trial.params.get("architecture") == architecture for trial in same_origin)


def first_configurations(
    job: Job, defaults: Mapping[str, Configuration]
) -> list[FirstConfiguration]:
    """Return the published configurations, over the defaults of their architectures; without any,
    the default of each of the job's architectures, the cheapest first."""
    if not job.published:
        return [
            FirstConfiguration(config=defaults[name], origin="default")
            for name in job.architectures
        ]
    return [
        FirstConfiguration(
            config=complete_config(
                defaults[published.config.get("architecture", job.architecture)], published.config
            ),
            origin="published",
            published=published,
        )
        for published in job.published
    ]


def cheapest_first(
    firsts: Sequence[FirstConfiguration],
    costs: Mapping[str, TrainingCost],
    price: Callable[[TrainingCost], float | None],
) -> list[FirstConfiguration]:
    """Sort configurations by the price of their architectures; one of which it is not known stays
    behind the one that it was declared behind."""
    keys: list[float] = []
    for first in firsts:
        cost = costs.get(first.config["architecture"])
        known = price(cost) if cost else None
        keys.append(known if known is not None else keys[-1] if keys else 0)
    return [first for _, first in sorted(zip(keys, firsts, strict=True), key=lambda pair: pair[0])]


def dearest_network(configs: Sequence[Configuration]) -> Configuration:
    """Return the last of the configurations that is a network's; of estimators alone the last one.

    An estimator is fitted in fp32 on the CPU, which says nothing of how networks train fastest.
    """
    networks = [config for config in configs if not is_estimator(config["architecture"])]
    return (networks or configs)[-1]


def recipes(job: Job, defaults: Mapping[str, Configuration]) -> list[FirstConfiguration]:
    """Return what an expert would run first of each of the job's architectures."""
    return [
        FirstConfiguration(config=recipe_of(defaults[name]), origin="search", source="recipe")
        for name in job.architectures
    ]


def recipes_by_names(job: Job, defaults: Mapping[str, Configuration]) -> dict[str, Any]:
    """Return the recipes of all of the job's architectures by the names of its space."""
    found: dict[str, Any] = {}
    for recipe in recipes(job, defaults):
        config = number_entries(recipe.config)
        found |= joined_names(config) if isinstance(job.space, JoinedSpace) else config
    return found


def adopted_configuration(
    config: Configuration,
    source: Literal["fork", "portfolio"],
    job: Job,
    defaults: Mapping[str, Configuration],
) -> FirstConfiguration:
    """Lay a configuration of another run over today's defaults, which may have names that it
    lacks."""
    architecture = config.get("architecture", job.architecture)
    default = defaults.get(architecture, defaults[job.architecture])
    complete = complete_config(default, config)
    return FirstConfiguration(config=complete, origin="search", source=source)


def first_trained(job: Job, defaults: Mapping[str, Configuration]) -> list[Configuration]:
    """Return the first configurations as the space gives them: what it returns says which images or
    features they see."""
    return [
        fit(first, job.space, job.architecture, defaults).config
        for first in first_configurations(job, defaults)
    ]


def what_is_trained(
    first: FirstConfiguration, job: Job, defaults: Mapping[str, Configuration]
) -> dict[str, object]:
    """Return the configuration that the space gives for a first one, for any number of epochs."""
    config: dict[str, object] = to_json(fit(first, job.space, job.architecture, defaults).config)
    return {**config, "epochs": None}


def fit(
    first: FirstConfiguration,
    space: Space,
    architecture: str,
    defaults: Mapping[str, Configuration],
) -> Fitted:
    """Return the configuration of the space that is nearest to `first`.

    Args:
        architecture: The job's own, unless the space names another.
        defaults: The default configuration of each architecture.

    Raises:
        RequestError: The space suggests a name that `first` lacks, or fails for it.
    """
    replayed = replay(space, number_entries(first.config))
    config = replayed.configuration(architecture, defaults)
    return Fitted(
        params=replayed.params,
        config=config,
        misfits=tuple(
            Misfit(
                name=name,
                wanted=wanted,
                taken=config.get(name),
                held=_held(name, replayed.moved),
            )
            for name, wanted in first.config.items()
            if name != "epochs" and to_json(config.get(name)) != to_json(wanted)
        ),
    )


def _held(name: str, moved: Mapping[str, BaseDistribution]) -> str | None:
    """Say what the space holds for `name`, or for those entries of a tuple that were moved."""
    found = [
        describe(distribution) if moved_name == name else f"{moved_name} {describe(distribution)}"
        for moved_name, distribution in moved.items()
        if moved_name == name or moved_name.rpartition("_")[0] == name
    ]
    return ", ".join(found) or None
