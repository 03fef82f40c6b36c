"""What a run is asked for, and what its search is asked to do."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage

from searchspaces.joined import JoinedSpace
from trainables.config import Configuration, Runtime
from trainables.metrics import METRICS
from trainables.registry import is_estimator
from trainables.trials.report import TrainingCost, find_runtime
from tune_jobs.engine.job import Job, Space
from tune_jobs.engine.options import Options
from tune_jobs.engine.run_state.folder import RunFolder
from tune_jobs.engine.run_state.info import RunInfo
from tune_jobs.engine.search.limits import ModelLimits, SearchLimits
from tune_jobs.engine.stages.first import (
    FirstConfiguration,
    adopted_configuration,
    cheapest_first,
    first_configurations,
    recipes,
    recipes_by_names,
)
from tune_jobs.engine.stages.time_budget import TimeBudget, least_epochs


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedJob:
    """Holds what the checks of a job have found out.

    Attributes:
        distributions: The distributions that the space suggests from, by name.
        proposals: Complete configurations sampled from the space.
        defaults: The default configuration of each architecture that may be trained.
        notes: Remarks for the user.
    """

    distributions: Mapping[str, BaseDistribution]
    proposals: tuple[Configuration, ...]
    defaults: Mapping[str, Configuration]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRequest:
    """Says what a run is asked for, and where its record is.

    Attributes:
        studies: The storage of the run's studies, which hold the record.
        checked: What the checks of the job have found out.
        forked: Configurations of another run, tried after the published (or default) ones.
        earlier: The information that an earlier session of the run has left, if there was one.
        began: The `time.monotonic()` at which the session began.
    """

    job: Job
    options: Options
    folder: RunFolder
    studies: BaseStorage
    checked: CheckedJob
    forked: Sequence[FirstConfiguration] = ()
    earlier: RunInfo | None = None
    began: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchPlan:
    """Says what a search is asked to do.

    Attributes:
        space: The search space.
        architecture: The architecture of every configuration, unless the space suggests another.
        defaults: The default configuration of each architecture.
        centre: The recipe of each architecture, by the space's names, which the sampler may know.
        first: Configurations that are tried first.
        trials: The number of configurations tried, the first ones included.
        epochs: A trial's full budget.
        sampler: The sampler's name, as `--sampler` takes it.
        seed: Seeds the sampler and the trials.
        limits: What ends the search before all are tried.
        model_limits: What a model may cost; a trial above it is stopped at its first epoch.
        budget: The time of the session, of which the search leaves the retraining its part.
        reference_seed: The retraining's first seed, with which the search trains the references.
        going_on: The architectures of which a retraining goes on from the end of such a trial.
        least_epochs: How few epochs an architecture may be given where time is short; one that is
            not named has the full budget in any case.
    """

    space: Space
    architecture: str
    defaults: Mapping[str, Configuration]
    centre: Mapping[str, Any]
    first: Sequence[FirstConfiguration]
    trials: int
    epochs: int
    sampler: str
    seed: int
    runtime: Runtime
    limits: SearchLimits
    model_limits: ModelLimits
    budget: TimeBudget = TimeBudget()
    reference_seed: int | None = None
    going_on: Collection[str] = ()
    least_epochs: Mapping[str, int] = field(default_factory=dict)

    def runtime_of(self, config: Configuration) -> Runtime:
        """Return the arithmetic in which a configuration is trained."""
        return find_runtime(config["architecture"], self.budget.costs, self.runtime)


def plan_search(
    request: RunRequest, info: RunInfo, runtime: Runtime, count_slots: Callable[[], int]
) -> SearchPlan:
    """Plan the search of a run, once its probe has ended.

    Args:
        count_slots: Counts the trials that the cluster trains at once.
    """
    job, options = request.job, request.options
    first = _first_configurations(request, info)
    metric = METRICS[options.metric]
    return SearchPlan(
        space=job.space,
        architecture=job.architecture,
        defaults=info.default_configs,
        centre=recipes_by_names(job, info.default_configs),
        first=first,
        trials=max(options.trials, len(first)),
        epochs=options.epochs,
        sampler=options.sampler,
        seed=options.seed,
        runtime=runtime,
        limits=SearchLimits(
            target=None if options.target is None else metric.score(options.target),
            patience=options.patience,
        ),
        model_limits=options.model_limits,
        budget=TimeBudget(
            seconds=options.time_budget,
            began=request.began,
            count_slots=count_slots,
            retrain_top=options.retrain_top,
            retrain_seeds=options.retrain_seeds,
            costs=info.costs,
            num_folds=options.folds or 1,
        ),
        reference_seed=options.retraining_seeds[0],
        # Of folds there is a model each, and of an estimator no checkpoint.
        going_on=() if options.folds else [n for n in info.default_configs if not is_estimator(n)],
        least_epochs=(
            least_epochs(job.architectures, job.backbone, options.epochs)
            if isinstance(job.space, JoinedSpace)
            else {}
        ),
    )


def _first_configurations(request: RunRequest, info: RunInfo) -> list[FirstConfiguration]:
    """Return what the search tries before its sampler is asked, in this order."""
    job, options, defaults = request.job, request.options, info.default_configs
    first = first_configurations(job, defaults)[: options.first_trials]

    def price(cost: TrainingCost) -> float | None:
        """Without a time budget what is the same each time, else what a default takes of it."""
        if options.time_budget is None:
            return cost.multiply_adds
        return cost.features_seconds + options.epochs * cost.epoch_seconds

    if not job.published:
        first = cheapest_first(first, info.costs, price)
    else:
        first += recipes(job, defaults)[: max(0, options.trials - len(first))]
    first += request.forked
    return first + [
        adopted_configuration(entry.config, "portfolio", job, defaults) for entry in info.portfolio
    ]
