"""Join probe, search and retraining into one source of tasks, for one loop.

Worker processes are reused from the first probe to the last retraining; starting one costs
seconds. Retrainings that are certain begin while the search's last trials still run.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from optuna.trial import FrozenTrial, Trial

from searchspaces.joined import JoinedSpace
from trainables.config import Runtime
from trainables.metrics import METRICS
from trainables.registry import is_estimator
from trainables.trials.report import EpochReport, ErrorReport, ProbeReport, Report, StorageFailure
from trainables.trials.task import ProbeTask, Stage, Task, TrialTask
from tune_jobs.engine.errors import RequestError, RunError, no_room
from tune_jobs.engine.options import UNLIMITED_TRIALS
from tune_jobs.engine.record.listener import Listener
from tune_jobs.engine.record.record import Name, Record
from tune_jobs.engine.run_state.info import RunInfo
from tune_jobs.engine.search.early_stopping import RULES, StoppingRule, WithinGroups
from tune_jobs.engine.stages.allocate import rung_group
from tune_jobs.engine.stages.candidates import going_on, pair_name
from tune_jobs.engine.stages.first import dearest_network, first_trained
from tune_jobs.engine.stages.plan import RunRequest, plan_search
from tune_jobs.engine.stages.retrain import Retraining
from tune_jobs.engine.stages.search import Search
from tune_jobs.engine.stages.trial_stage import TrialStage

PROPOSALS_BUILT = 8
"""The probe builds up to so many proposals before it gives up a space; one that works is enough."""


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
        firsts = first_trained(job, self.info.default_configs)
        is_joined = isinstance(job.space, JoinedSpace)
        is_measured = is_joined or any(first.get("features") for first in firsts)
        # Of a joined space the dearest: most of the time is spent on its trials.
        return ProbeTask(
            config=firsts[0] if job.published else dearest_network(firsts),
            proposals=self._request.checked.proposals[:PROPOSALS_BUILT],
            precision=None if options.precision == "auto" else options.precision,
            defaults=tuple(firsts) if is_measured else (),
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
                if refusal := self._refuse(report):
                    self.error = RequestError(refusal)
                else:
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

    def _refuse(self, found: ProbeReport) -> str | None:
        """Return why the time budget cannot be kept, in words: features are computed as a whole,
        before anything is trained on them, and none of the architectures does without."""
        budget, names = self._request.options.time_budget, self._request.job.architectures
        costs = [cost for name in names if (cost := found.costs.get(name))]
        needed = min((cost.features_seconds for cost in costs), default=0.0)
        if budget is None or len(costs) < len(names) or needed <= budget:
            return None
        return (
            f"--time-budget = {budget:g}s: the features of {', '.join(names)} take an estimated "
            f"{needed:,.0f} s here, and are computed first: give more time, fewer images "
            "(--train-size), or another architecture (--architectures)"
        )

    def _take(self, found: ProbeReport) -> None:
        """Keep what the probe has found, and begin the stages."""
        self.info = replace(self.info, runtime=found.runtime, costs=found.costs)
        self._stages = self._begin(found.runtime)
        # The studies are there first: a `run.json` with a runtime and no study has lost its record.
        self._request.folder.copy_journal()
        self._request.folder.write_info(self.info)

    def _begin(self, runtime: Runtime) -> Stages:
        request, options = self._request, self._request.options
        plan = plan_search(request, self.info, runtime, self._count_slots)
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
        request.folder.drop_checkpoints_but(
            searched.running | retrained.running | going_on(searched, retrained)
        )
        return Stages(search, retraining)

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
