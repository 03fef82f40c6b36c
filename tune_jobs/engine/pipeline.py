"""A run: load data -> search -> retrain -> leaderboard, each the next one's input.

What is heavy (Ray, Optuna, pyarrow) is imported when a run starts, so that `--help` does without.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from trainables.storage import STORAGE_ERRNOS, Storage, StorageError, patient
from tune_jobs.engine.errors import RequestError, RunError
from tune_jobs.engine.job import Job
from tune_jobs.engine.options import Options
from tune_jobs.engine.run.folder import RunFolder, open_place, place_of, run_folder
from tune_jobs.engine.run.lease import lease

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from rich.console import Console

    from trainables.datasets import ImageData
    from trainables.training.pretrained import Pretrained
    from tune_jobs.engine.results.publish import RunResult


def run(job: Job, *, console: "Console | None" = None, **options: Any) -> "RunResult":
    """Do all five steps of `job`; `options` are those of `Options`, by name.

    Raises:
        RequestError: The request is wrong; nothing expensive has been started.
        RunError: The run failed: every trial did, say.
    """
    return run_resolved(job, Options.resolve(job, **options), console)


def run_resolved(job: Job, options: Options, console: "Console | None" = None) -> "RunResult":
    """`run`, for options that are already complete."""
    from tune_jobs.engine.run.object_store_sync import mirrored
    from tune_jobs.engine.search.space import check_space

    storage = open_place(options.storage)
    with run_folder(place_of(storage, job.name, options.run_id)) as folder:
        earlier = folder.read_facts()
        if options.resume and earlier is None:
            raise RequestError(
                f"--resume = {options.run_id!r}: there is no such run: {folder.place.uri}"
            )
        distributions = check_space(job.space)
        folder.create()
        folder = replace(folder, place=patient(folder.place))
        with (
            storage_errors(options.storage),
            lease(folder.place, options.run_id),
            mirrored(folder),
        ):
            return _run(job, options, distributions, earlier, folder, storage, console)


def _run(
    job: Job,
    options: Options,
    distributions: "dict[str, BaseDistribution]",
    earlier: dict[str, Any] | None,
    folder: RunFolder,
    storage: Storage,
    console: "Console | None",
) -> "RunResult":
    """The five steps, by the one process that holds the run's lease."""
    from tune_jobs.engine.cluster.start import ray_cluster, wait_for_worker
    from tune_jobs.engine.progress import Progress
    from tune_jobs.engine.search.journal import repair_journal
    from tune_jobs.engine.search.study_storage import closing, open_study_storage
    from tune_jobs.engine.stages.fork import forked_configurations

    torn = repair_journal(folder.journal)
    study, studies = open_study_storage(job, options, earlier, folder)
    with closing(study, studies):
        data, pretrained, facts = _begin(job, options, distributions, earlier)
        facts["study"] = study
        if torn:
            facts["notes"].append(f"the record ended in a torn line, cut off: {torn} bytes")
        forked = forked_configurations(job, options, storage) if options.fork else []
        folder.write_facts(facts)
        with (
            Progress(facts, console) as progress,
            ray_cluster(options.address, verbose=options.verbose) as is_local,
        ):
            from tune_jobs.engine.cluster.preflight import check_storage, num_nodes
            from tune_jobs.engine.cluster.share import share
            from tune_jobs.engine.results.publish import publish
            from tune_jobs.engine.results.trial_logs import TrialLogs
            from tune_jobs.engine.stages.steps import Steps, run_steps

            if not is_local:
                wait_for_worker(options.cpus_per_trial, progress.say)
            if num_nodes() > 1:
                check_storage(storage)
            shared = share(
                job, data, pretrained, options, distributions, is_local=is_local, say=progress.say
            )
            facts["resources"] = asdict(shared.resources)
            folder.write_facts(facts)
            logs = TrialLogs(folder.tensorboard, distributions)
            steps = Steps(
                job, options, folder, studies, facts, distributions, forked, [progress, logs]
            )
            run_steps(steps, options, shared, folder)
        return publish(facts, steps.search.record, steps.retraining, folder, data, patient(storage))


def _begin(
    job: Job,
    options: Options,
    distributions: "dict[str, BaseDistribution]",
    earlier: dict[str, Any] | None,
) -> "tuple[ImageData, Pretrained | None, dict[str, Any]]":
    """Load the data and the weights -> them, and the facts of the run, which an earlier session's
    must agree with."""
    from tune_jobs.engine.prepare import check_duplicates, check_estimators, load_data, load_weights
    from tune_jobs.engine.run.info import known_facts, take_over

    check_estimators(job, options, distributions)
    data = load_data(options)
    pretrained = load_weights(job, options)
    digest = pretrained.digest if pretrained else None
    duplicates = check_duplicates(data, options)
    known = known_facts(job, options, data, digest, distributions, duplicates)
    return data, pretrained, take_over(known, earlier)


@contextmanager
def storage_errors(storage: str) -> Iterator[None]:
    """A disk that is full, or a store out of reach, ends the run, not its record: exit 1, with what
    to do."""
    try:
        yield
    except StorageError as error:
        raise RunError(f"--storage = {storage!r}: {error}: {MEND}") from error
    except OSError as error:
        if error.errno not in STORAGE_ERRNOS:
            raise
        file = f" ({error.filename})" if error.filename else ""
        raise RunError(
            f"--storage = {storage!r}: {os.strerror(error.errno)}{file}: {MEND}"
        ) from error


MEND = "mend it (make room, say), then resume; what has been recorded is whole"
