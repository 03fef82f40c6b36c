"""A run: load data -> search -> retrain -> leaderboard, each the next one's input.

What is heavy (Ray, Optuna, pyarrow) is imported when a run starts, so that `--help` does without.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables.storage import open_storage
from trainables.storage_errors import STORAGE_ERRNOS
from tune_jobs.engine.errors import RequestError, RunError
from tune_jobs.engine.job import Job
from tune_jobs.engine.lease import lease
from tune_jobs.engine.options import Options
from tune_jobs.engine.run_folder import RunFolder

if TYPE_CHECKING:
    from rich.console import Console

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
    from tune_jobs.engine.cli.progress import Progress
    from tune_jobs.engine.cluster import ray_cluster, wait_for_worker
    from tune_jobs.engine.facts import known_facts, take_over
    from tune_jobs.engine.fork import forked_configurations
    from tune_jobs.engine.leaks import check_duplicates
    from tune_jobs.engine.prepare import check_space, load_data, load_weights
    from tune_jobs.engine.search.journal import repair_journal

    folder = RunFolder(options.storage.resolve() / "runs" / job.name / options.run_id)
    earlier = folder.read_facts()
    if options.resume and earlier is None:
        raise RequestError(f"--resume = {options.run_id!r}: there is no such run: {folder.path}")
    distributions = check_space(job.space)
    folder.create()
    with lease(folder.path / "lease", options.run_id), storage_errors(options.storage):
        torn = repair_journal(folder.journal)
        data = load_data(options)
        pretrained = load_weights(job, options)
        digest = pretrained.digest if pretrained else None
        duplicates = check_duplicates(data, options)
        known = known_facts(job, options, data, digest, distributions, duplicates)
        facts = take_over(known, earlier)
        if torn:
            facts["notes"].append(f"the record ended in a torn line, cut off: {torn} bytes")
        forked = forked_configurations(options, folder) if options.fork else []
        folder.write_facts(facts)
        with (
            Progress(facts, console) as progress,
            ray_cluster(options.address, verbose=options.verbose),
        ):
            from tune_jobs.engine.preflight import check_storage, num_nodes
            from tune_jobs.engine.results.publish import publish
            from tune_jobs.engine.results.trial_logs import TrialLogs
            from tune_jobs.engine.shared import share
            from tune_jobs.engine.steps import Steps, run_steps

            wait_for_worker(options.cpus_per_trial, progress.say)
            if num_nodes() > 1:
                check_storage(open_storage(options.storage))
            shared = share(job.features, data, pretrained, options, progress.say)
            facts["resources"] = asdict(shared.resources)
            folder.write_facts(facts)
            logs = TrialLogs(folder.tensorboard, distributions)
            steps = Steps(job, options, folder, facts, distributions, forked, [progress, logs])
            run_steps(steps, options, shared, folder)
        return publish(facts, steps.search.record, steps.retraining, folder, data, options.storage)


@contextmanager
def storage_errors(storage: Path) -> Iterator[None]:
    """A disk that is full or gone ends the run, not its record: exit 1, with what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in STORAGE_ERRNOS:
            raise
        raise RunError(
            f"--storage = {str(storage)!r}: {os.strerror(error.errno)}"
            f"{f' ({error.filename})' if error.filename else ''}: make room, then resume; what "
            "has been recorded is whole"
        ) from error
