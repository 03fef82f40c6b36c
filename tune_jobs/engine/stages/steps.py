"""Join probe, search and retraining into one source of tasks, for one loop.

Worker processes are reused from the first probe to the last retraining; starting one costs
seconds. Retrainings that are certain begin while the search's last trials still run.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, Trial

from searchspaces.joined import JoinedSpace
from trainables.config import Configuration, Runtime
from trainables.metrics import METRICS
from trainables.registry import is_estimator
from trainables.trials.report import EpochReport, ErrorReport, ProbeReport, Report, StorageFailure
from trainables.trials.task import ProbeTask, Stage, Task, TrialTask
from tune_jobs.engine.errors import RequestError, RunError, no_room
from tune_jobs.engine.job import Job
from tune_jobs.engine.options import UNLIMITED_TRIALS, Options
from tune_jobs.engine.record.listener import Listener
from tune_jobs.engine.record.record import Name, Record
from tune_jobs.engine.run_state.folder import RunFolder
from tune_jobs.engine.run_state.info import RunInfo
from tune_jobs.engine.search.early_stopping import RULES, StoppingRule, WithinGroups
from tune_jobs.engine.search.limits import SearchLimits
from tune_jobs.engine.stages.allocate import rung_group
from tune_jobs.engine.stages.candidates import pair_name
from tune_jobs.engine.stages.first import (
    FirstConfiguration,
    adopted_configuration,
    cheapest_first,
    dearest_network,
    first_configurations,
    fit,
    recipes,
    recipes_by_names,
)
from tune_jobs.engine.stages.retrain import Retraining
from tune_jobs.engine.stages.search import Search, SearchPlan
from tune_jobs.engine.stages.time_budget import TimeBudget
from tune_jobs.engine.stages.trial_stage import TrialStage

PROPOSALS_BUILT = 8
"""The probe builds up to so many proposals before it gives up a space; one that works is enough."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRequest:
    """Says what a run is asked for, and where its record is.

    Attributes:
        studies: The storage of the run's studies, which hold the record.
        distributions: The distributions that the space suggests from, by name.
        proposals: Configurations sampled from the space.
        defaults: The default configuration of each architecture that may be trained.
        notes: Remarks for the user on the job.
        forked: Configurations of another run, tried after the published (or default) ones.
        earlier: The information that an earlier session of the run has left, if there was one.
        began: The `time.monotonic()` at which the session began.
    """

    job: Job
    options: Options
    folder: RunFolder
    studies: BaseStorage
    distributions: Mapping[str, BaseDistribution]
    proposals: Sequence[Configuration]
    defaults: Mapping[str, Configuration]
    notes: Sequence[str] = ()
    forked: Sequence[FirstConfiguration] = ()
    earlier: RunInfo | None = None
    began: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class Stages:
    """Holds the two stages of trials, which begin when the probe has ended."""

    search: Search
    retraining: Retraining

    def of(self, task: TrialTask) -> TrialStage:
        return self.search if task.stage is Stage.SEARCH else self.retraining


class Steps:
    """Gives out a run's tasks: the probe, then the trials of search and retraining.

    Args:
        info: The run's information so far. The probe's finding is added to it; a resumed run has
            it already, and does not probe. Nor does a job of estimators alone, which have no
            choice.
        count_slots: Counts the trials that the cluster trains at once.
    """

    def __init__(
        self,
        request: RunRequest,
        info: RunInfo,
        listeners: Sequence[Listener],
        count_slots: Callable[[], int],
    ) -> None:
        self.info = info
        self.error: RequestError | None = None
        self.rule: StoppingRule = RULES[request.options.scheduler](request.options.rung_settings)
        self._request = request
        self._listeners = listeners
        self._count_slots = count_slots
        self._stages: Stages | None = None
        self._probe_runs = False
        joined = isinstance(request.job.space, JoinedSpace)
        if info.runtime:
            self._stages = self._begin(info.runtime)
        elif not joined and all(map(is_estimator, info.default_configs)):  # nothing to measure
            self._take(ProbeReport(runtime=Runtime(device="cpu"), costs={}))

    @property
    def stages(self) -> Stages:
        """Return the search and the retraining.

        Raises:
            RunError: The probe has not ended, so that nothing could be trained.
        """
        if self._stages is None:
            raise RunError("no worker has told how a trial trains here: see --verbose")
        return self._stages

    @property
    def records(self) -> Sequence[Record]:
        """Return the records of search and retraining; none before the probe has ended."""
        stages = self._stages
        return (stages.search.record, stages.retraining.record) if stages else ()

    @property
    def finished(self) -> bool:
        if self._stages is None:
            return self.error is not None
        return self._stages.retraining.finished

    def next_task(self) -> Task | None:
        if self._stages:
            return self._stages.search.next_task() or self._stages.retraining.next_task()
        if self._probe_runs or self.error:
            return None
        self._probe_runs = True
        job, options = self._request.job, self._request.options
        defaults = self.info.default_configs
        # As the space gives them: what it returns says which images or features they see.
        firsts = [
            fit(first, job.space, job.architecture, defaults).config
            for first in first_configurations(job, defaults)
        ]
        # Of a joined space the dearest: most of the time is spent on its trials.
        return ProbeTask(
            config=firsts[0] if job.published else dearest_network(firsts),
            proposals=tuple(self._request.proposals[:PROPOSALS_BUILT]),
            precision=None if options.precision == "auto" else options.precision,
            defaults=tuple(firsts) if len(job.architectures) > 1 else (),
        )

    def on_start(self, task: Task) -> None:
        if isinstance(task, TrialTask):
            for listener in self._listeners:
                listener.training(task.name, task.epochs_reported)

    def on_report(self, task: Task, report: Report) -> bool:
        folder, options = self._request.folder, self._request.options
        match task, report:
            case _, StorageFailure(message, is_other_disk):  # none of the trials could go on
                said = f"a worker could not write: {message}"
                raise no_room(options.storage, said, is_other_disk=is_other_disk)
            case ProbeTask(), ErrorReport(message):
                self.error = RequestError(message)
                return False
            case TrialTask(), ErrorReport(message):
                self.on_failure(task, message)
                return False
            case ProbeTask(), ProbeReport():
                self._take(report)
                return False
            case TrialTask(), EpochReport():
                goes_on = self.stages.of(task).on_report(task.number, report)
                if not goes_on:
                    folder.drop_checkpoints(task.name)
                return goes_on
        raise TypeError(f"{type(task).__name__} was answered by {type(report).__name__}")

    def on_failure(self, task: Task, cause: str) -> None:
        if isinstance(task, ProbeTask):
            architecture = self._request.job.architecture
            self.error = RequestError(f"the workers cannot train {architecture}: {cause}")
            return
        folder = self._request.folder
        self.stages.of(task).on_failure(task.number, folder.read_hang(task.name) or cause)
        folder.drop_checkpoints(task.name)

    def _take(self, found: ProbeReport) -> None:
        """Keep what the probe has found, and begin the stages."""
        self.info = replace(self.info, runtime=found.runtime, costs=found.costs)
        self._stages = self._begin(found.runtime)
        # The studies are there first: a `run.json` with a runtime and no study has lost its record.
        self._request.folder.copy_journal()
        self._request.folder.write_info(self.info)

    def _begin(self, runtime: Runtime) -> Stages:
        request, options = self._request, self._request.options
        plan = self._plan(runtime)
        searched, retrained = self._open("", _trial_name), self._open("/retrain", pair_name)
        joined = isinstance(request.job.space, JoinedSpace)
        self.rule = WithinGroups(
            self.rule, lambda number: rung_group(searched.trial(number), by_architecture=joined)
        )
        num_trials = None if plan.trials == UNLIMITED_TRIALS else plan.trials
        for listener in self._listeners:  # before the records tell them of anything
            listener.begin(num_trials, self.rule, searched.ended() + retrained.ended())
        search = Search(plan, searched, self.rule)
        retraining = Retraining(
            search, retrained, top=options.retrain_top, seeds=options.retraining_seeds
        )
        request.folder.drop_checkpoints_but(search.record.running | retraining.record.running)
        return Stages(search, retraining)

    def _plan(self, runtime: Runtime) -> SearchPlan:
        request, options = self._request, self._request.options
        job, defaults = request.job, self.info.default_configs
        first = self._first_configurations()
        metric = METRICS[options.metric]
        return SearchPlan(
            space=job.space,
            architecture=job.architecture,
            defaults=defaults,
            centre=recipes_by_names(job, defaults),
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
                count_slots=self._count_slots,
                retrain_top=options.retrain_top,
                retrain_seeds=options.retrain_seeds,
                costs=self.info.costs,
                num_folds=options.folds or 1,
            ),
            backbone=job.backbone,
        )

    def _first_configurations(self) -> list[FirstConfiguration]:
        """Return what the search tries before its sampler is asked, in this order."""
        request, options = self._request, self._request.options
        job, defaults = request.job, self.info.default_configs
        first = first_configurations(job, defaults)[: options.first_trials]
        if not job.published:
            first = cheapest_first(first, self.info.costs)
        else:
            first += recipes(job, defaults)[: max(0, options.trials - len(first))]
        first += request.forked
        return first + [
            adopted_configuration(entry.config, "portfolio", job, defaults)
            for entry in self.info.portfolio
        ]

    def _open(self, suffix: str, name_of: Name) -> Record:
        request = self._request
        return Record.open(
            request.studies,
            f"{request.job.name}/{request.options.run_id}{suffix}",
            name_of,
            METRICS[request.options.metric],
            self._listeners,
            request.earlier.published if request.earlier else (),
        )


def _trial_name(trial: Trial | FrozenTrial) -> str:
    return f"trial-{trial.number:04d}"
