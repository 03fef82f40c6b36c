"""Do a task in a worker process, and give the reports to the caller.

The driver imports this module too, so torch is imported only in the functions that a worker runs.
"""

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from trainables.config import ConfigError, Configuration, Runtime
from trainables.metrics import EpochMetrics
from trainables.storage import (
    LocalStorage,
    OtherDiskError,
    Storage,
    StorageError,
    files_for,
    storage_errors,
)
from trainables.trials.report import EpochReport, ErrorReport, ProbeReport, Report, StorageFailure
from trainables.trials.task import ProbeTask, Stage, Task, TrialTask
from trainables.worker.ddp_workers import Peers, gather
from trainables.worker.settings import TrialSettings

if TYPE_CHECKING:
    from trainables.trials.inputs import TrialInputs
    from trainables.trials.trial import Trial
    from trainables.trials.watchdog import Watchdog


def run_task(task: Task, settings: TrialSettings, report: Callable[[Report], None]) -> None:
    """Do what `task` says.

    Args:
        report: Takes each epoch's metrics, or what a probe has found. It may end the process.
    """
    from trainables.training.device import prepare_process
    from trainables.trials.watchdog import Watchdog

    prepare_process(settings.gpus)
    try:
        inputs = settings.fetch()
        if isinstance(task, ProbeTask):
            report(_probe(task, inputs))
            return
        checkpoints = settings.checkpoints
        check_run_folder(checkpoints)
        place = checkpoints.child(task.name)
        with (
            storage_errors(checkpoints.path if isinstance(checkpoints, LocalStorage) else None),
            Watchdog(settings.timeout_seconds, place) as watchdog,
            gather(task, settings, watchdog) as peers,
        ):
            for made in _train(task, settings, inputs, watchdog, peers):
                with watchdog.paused():
                    report(made)
    except ConfigError as error:  # another attempt would not mend it
        report(ErrorReport(str(error)))
    except StorageError as error:  # nor would another trial do better
        report(StorageFailure(str(error), isinstance(error, OtherDiskError)))


def retrain_once(task: TrialTask, settings: TrialSettings) -> EpochMetrics:
    """Train a task to its end without reports; return the last epoch's metrics, with the test's.

    The model and the predictions are in the task's folder.

    Raises:
        ConfigError: The configuration breaks a rule.
    """
    from trainables.training.device import prepare_process
    from trainables.trials.watchdog import Watchdog

    prepare_process(settings.gpus)
    inputs = settings.fetch()
    place = settings.checkpoints.child(task.name)
    with (
        Watchdog(settings.timeout_seconds, place) as watchdog,
        gather(task, settings, watchdog) as peers,
    ):
        *_, last = _train(task, settings, inputs, watchdog, peers)
    return last.metrics


def check_run_folder(checkpoints: Storage) -> None:
    """Check that this node, which may have joined after the run began, sees the run.

    Raises:
        StorageError: It does not, so no other node would find what a trial leaves here.
    """
    if isinstance(checkpoints, LocalStorage) and not checkpoints.path.parent.is_dir():
        folder = checkpoints.path.parent
        raise StorageError(f"{socket.gethostname()} does not share it: no {folder}")


def _probe(task: ProbeTask, inputs: "TrialInputs") -> ProbeReport:
    from trainables.worker.probe import check_proposals, measure_costs, probe

    costs = measure_costs(task.defaults, inputs, task.precision)
    known = costs.get(task.config["architecture"])
    runtime = known.runtime if known else None
    runtime = runtime or probe(task.config, inputs, pinned=task.precision)
    check_proposals(task.proposals, inputs)
    return ProbeReport(runtime=runtime, costs=costs)


def _train(
    task: TrialTask,
    settings: TrialSettings,
    inputs: "TrialInputs",
    watchdog: "Watchdog",
    peers: Peers | None,
) -> Iterator[EpochReport]:
    """Train, and yield a report of each epoch. A retraining's last report has the test's metrics,
    and its model is stored by then. Where there are folds, the search trains on all of them, and
    a retraining on the one that follows from its seed, so that equal seeds have equal folds."""
    from trainables.trials.attempt import Attempt
    from trainables.trials.checkpoint import Checkpoints
    from trainables.trials.cost import forget_peak
    from trainables.trials.folds import train_folds
    from trainables.trials.test_evaluation import evaluate_on_test

    forget_peak()
    place = settings.checkpoints.child(task.name)
    next_place = settings.checkpoints.child(task.goes_on_as) if task.goes_on_as else None
    attempt = Attempt(
        checkpoints=Checkpoints(place),
        watchdog=watchdog,
        rungs=() if task.stage is Stage.RETRAIN else settings.rungs,
        epochs_reported=task.epochs_reported,
        goes_on_in=Checkpoints(next_place) if next_place else None,
    )

    def build(inputs: "TrialInputs") -> "Trial":
        return build_trial(task.config, inputs, task.runtime, seed=task.seed, peers=peers)

    if task.stage is Stage.SEARCH and inputs.folds:
        with watchdog.paused():
            folds = [fold.seen_by(task.config) for fold in inputs.folds]
        yield from train_folds([build(fold) for fold in folds], attempt)
        return
    if inputs.folds:
        inputs = inputs.folds[task.seed % len(inputs.folds)]
    with watchdog.paused():  # features that no trial has needed before are computed
        inputs = inputs.seen_by(task.config)
    trial = build(inputs)
    for report in trial.train(attempt):
        if task.stage is Stage.RETRAIN and report.metrics.epoch == trial.epochs:
            with files_for(place) as folder:
                test = evaluate_on_test(trial, inputs.data, folder)
                if test.cost and inputs.features:
                    cost = replace(test.cost, features_seconds=inputs.features.seconds)
                    test = replace(test, cost=cost)
                trial.save(folder)
            report = replace(report, metrics=replace(report.metrics, test=test))
        yield report


def build_trial(
    config: Configuration,
    inputs: "TrialInputs",
    runtime: Runtime,
    *,
    seed: int,
    peers: Peers | None = None,
) -> "Trial":
    """Build the trial that a configuration describes.

    Args:
        peers: Processes that train it with this one; an estimator is fitted by this one alone.

    Raises:
        ConfigError: The configuration breaks a rule.
    """
    from trainables.registry import is_estimator

    if "architecture" not in config:
        raise ConfigError("architecture: required, but missing")
    if is_estimator(config["architecture"]):
        from trainables.trials.estimator_trial import (
            EstimatorTrial,  # imports scikit-learn: seconds
        )

        return EstimatorTrial(config, inputs, seed=seed)
    from trainables.training.process_group import ALONE
    from trainables.trials.network_trial import NetworkTrial

    group = peers.group if peers else ALONE
    trial = NetworkTrial(config, inputs, runtime, seed=seed, group=group)
    if peers:
        trial.training.on_epoch = peers.begin_epoch
    return trial
