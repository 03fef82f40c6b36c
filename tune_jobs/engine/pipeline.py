"""Run a job from its data to its results: load, search, retrain, write leaderboard and report.

Heavy libraries (torch, Ray, Optuna, pyarrow) are imported when a run starts, since `--help` has to
answer without them.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from trainables.storage import Storage, patient
from tune_jobs.engine.job import Job
from tune_jobs.engine.options import Options

if TYPE_CHECKING:
    from rich.console import Console

    from trainables.datasets import ImageData
    from trainables.training.pretrained import Pretrained
    from trainables.worker.settings import TrialSettings
    from trainables.worker.shared import SharedInputs
    from tune_jobs.engine.progress import Progress
    from tune_jobs.engine.results.row import Row
    from tune_jobs.engine.results.run_result import RunResult
    from tune_jobs.engine.results.trackers.follow import Trackers
    from tune_jobs.engine.run_state.info import RunInfo
    from tune_jobs.engine.run_state.resources import Resources
    from tune_jobs.engine.stages.plan import RunRequest
    from tune_jobs.engine.stages.steps import Steps

Show = Callable[[Sequence["Row"]], None]


def run(job: Job, *, console: "Console | None" = None, **options: Any) -> "RunResult":
    """Run `job` from its data to its results; `options` are those of `Options`, by name.

    Raises:
        RequestError: The request is wrong; nothing expensive has been started.
        RunError: The run failed, since every trial did, for instance.
    """
    return run_resolved(job, Options.resolve(job, **options), console)


def run_resolved(
    job: Job, options: Options, console: "Console | None", show: Show | None = None
) -> "RunResult":
    """Do what `run` does, for options that are already complete.

    Args:
        show: Called with the leaderboard's rows as soon as they are written, before the report is
            drawn.
    """
    began = time.monotonic()
    from tune_jobs.engine.cluster.address import check_address
    from tune_jobs.engine.job_checks import check_declaration, check_job
    from tune_jobs.engine.options.rules import check_estimators
    from tune_jobs.engine.record.journal import repair_journal
    from tune_jobs.engine.record.study_storage import closing, open_study_storage
    from tune_jobs.engine.results.trackers.follow import open_trackers
    from tune_jobs.engine.run_state.folder import open_place, place_of, run_folder
    from tune_jobs.engine.run_state.hold import held, nothing_left_if_refused, read_earlier
    from tune_jobs.engine.stages.architectures import choose_architectures
    from tune_jobs.engine.stages.plan import RunRequest

    check_declaration(job)  # its name is a folder's
    job = choose_architectures(job, options.architectures)
    storage = open_place(options.storage)
    with run_folder(place_of(storage, job.name, options.run_id)) as folder:
        earlier = read_earlier(folder, options)
        check_address(options.address)
        trackers = open_trackers(job, options, storage)
        checked = check_job(job, options.epochs, earlier, options.for_configurations)
        check_estimators(options.workers, checked.defaults)
        with held(folder, storage, options) as folder:
            torn = repair_journal(folder.journal)
            study, studies = open_study_storage(job, options, earlier, folder)
            request = RunRequest(
                job=job,
                options=options,
                folder=folder,
                studies=studies,
                checked=checked,
                earlier=earlier,
                began=began,
            )
            with closing(study, studies), nothing_left_if_refused(folder, earlier), trackers:
                return _run(request, study, torn, storage, console, trackers, show)


def _run(
    request: "RunRequest",
    study: str,
    torn: int,
    storage: Storage,
    console: "Console | None",
    trackers: "Trackers",
    show: Show | None,
) -> "RunResult":
    """Do the steps of the run, as the one process that holds its lease."""
    from tune_jobs.engine.cluster.start import ray_starting
    from tune_jobs.engine.prepare import learn_from_other_runs
    from tune_jobs.engine.progress import Progress

    options, folder = request.options, request.folder
    with ray_starting(options.address, verbose=options.verbose) as wait_for_ray:
        request, data, pretrained, info = _begin(request)
        learned = learn_from_other_runs(request, storage)
        request = replace(request, forked=learned.forked)
        info = replace(info, study=study, portfolio=learned.portfolio).noting(*learned.notes)
        if torn:
            info = info.noting(f"the record ended in a torn line, cut off: {torn} bytes")
        folder.write_info(info)
        with Progress(info, console) as progress:
            _import_ahead()
            is_local = wait_for_ray()
            inputs, resources = _share(
                request, data, pretrained, storage, is_local=is_local, say=progress.say
            )
            info = replace(info, resources=resources)
            folder.write_info(info)
            steps = _train(request, info, inputs, resources, trackers, progress)
    from tune_jobs.engine.results.publish import publish

    result = publish(steps.info, steps.stages, folder, data, patient(storage), show)
    trackers.keep([result.leaderboard, result.report])
    return result


def _train(
    request: "RunRequest",
    info: "RunInfo",
    inputs: "SharedInputs",
    resources: "Resources",
    trackers: "Trackers",
    progress: "Progress",
) -> "Steps":
    """Do the run's tasks on the cluster: the probe, the search, the retraining."""
    from tune_jobs.engine.cluster.capacity import count_slots
    from tune_jobs.engine.ray_tune.trainable import build_trainable
    from tune_jobs.engine.ray_tune.tuner import run_tasks
    from tune_jobs.engine.results.tensorboard.trial_logs import TrialLogs
    from tune_jobs.engine.stages.steps import Steps

    logs = TrialLogs(request.folder.tensorboard, request.checked.distributions)
    steps = Steps(request, info, [progress, logs], partial(count_slots, resources))
    settings = _settings(steps, request, inputs, resources)
    trackers.follow(lambda: steps.records)
    max_failures = request.options.max_failures
    run_tasks(steps, build_trainable(settings), resources, max_failures=max_failures)
    if steps.error:
        raise steps.error
    return steps


def _import_ahead() -> None:
    """Import, while Ray starts, what the driver needs after that: each takes a part of a second."""
    import tune_jobs.engine.ray_tune.tuner
    import tune_jobs.engine.results.publish
    import tune_jobs.engine.results.tensorboard.trial_logs  # noqa: F401


def _begin(
    request: "RunRequest",
) -> "tuple[RunRequest, ImageData, Pretrained | None, RunInfo]":
    """Load the data and the weights; return the request fitted to them, both, and the run's
    information.

    Raises:
        RequestError: They cannot be used, or an earlier session of the run had other ones.
    """
    from tune_jobs.engine.prepare import (
        check_duplicates,
        check_groups,
        check_metric,
        fit_to_data,
        load_data,
    )
    from tune_jobs.engine.run_state.continuation import continue_run
    from tune_jobs.engine.run_state.info import describe_left_out, describe_run
    from tune_jobs.engine.stages.architectures import load_weights

    options = request.options
    data = load_data(options)
    check_metric(data, options)
    check_groups(data, options)
    pretrained, left_out = load_weights(request)
    request = fit_to_data(request, data, left_out)
    digest = pretrained.digest if pretrained else None
    duplicates = check_duplicates(data, options)
    checked = request.checked
    info = describe_run(request.job, options, data, digest, checked.distributions, duplicates)
    info = continue_run(info, request.earlier).noting(*checked.notes)
    info = replace(info, left_out=left_out, default_configs=checked.defaults)
    return request, data, pretrained, info.noting(*describe_left_out(left_out))


def _share(
    request: "RunRequest",
    data: "ImageData",
    pretrained: "Pretrained | None",
    storage: Storage,
    *,
    is_local: bool,
    say: Callable[[str], None],
) -> "tuple[SharedInputs, Resources]":
    """Give the cluster what all trials share; return what leads to it, and the resources that a
    trial takes."""
    from tune_jobs.engine.cluster.gpu_packing import pack
    from tune_jobs.engine.cluster.preflight import check_storage, num_nodes
    from tune_jobs.engine.cluster.share import check_resources, resources_of, share_inputs
    from tune_jobs.engine.cluster.start import wait_for_worker
    from tune_jobs.engine.prepare import reduce_images

    job, options = request.job, request.options
    if not is_local:
        wait_for_worker(options.cpus_per_trial, say)
    if num_nodes() > 1:
        check_storage(storage)
    resources = resources_of(options)
    check_resources(resources, is_local=is_local, say=say)
    inputs = share_inputs(
        job.features,
        data,
        reduce_images(request, data),
        pretrained,
        options,
        resources,
        say,
    )
    if options.gpus_per_trial == "auto" and resources.gpus:
        resources, why = pack(job, request.checked.distributions, options.epochs, inputs, resources)
        say(why)
    return inputs, resources


def _settings(
    steps: "Steps", request: "RunRequest", inputs: "SharedInputs", resources: "Resources"
) -> "TrialSettings":
    from trainables.worker.settings import TrialSettings

    return TrialSettings(
        inputs=inputs,
        rungs=tuple(steps.rule.rungs()),
        checkpoints=request.folder.checkpoints,
        timeout_seconds=request.options.trial_timeout,
        workers=resources.workers,
        gpus=resources.gpus,
    )
