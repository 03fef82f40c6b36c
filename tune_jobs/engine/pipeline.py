"""A run: load data -> search -> retrain -> leaderboard, each the next one's input.

What is heavy (Ray, Optuna, pyarrow) is imported when a run starts, so that `--help` does without.
"""

from typing import TYPE_CHECKING, Any

from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job import Job
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
    from tune_jobs.engine.cluster import ray_cluster
    from tune_jobs.engine.facts import known_facts, take_over
    from tune_jobs.engine.prepare import check_space, load_data

    folder = RunFolder(options.storage.resolve() / "runs" / job.name / options.run_id)
    earlier = folder.read_facts()
    if options.resume and earlier is None:
        raise RequestError(f"--resume = {options.run_id!r}: there is no such run: {folder.path}")
    distributions = check_space(job.space)
    folder.create()
    data = load_data(options)
    facts = take_over(known_facts(job, options, data), earlier)
    folder.write_facts(facts)
    with (
        Progress(facts, console) as progress,
        ray_cluster(options.address, verbose=options.verbose),
    ):
        from tune_jobs.engine.results.publish import publish
        from tune_jobs.engine.results.trial_logs import TrialLogs
        from tune_jobs.engine.steps import Steps, run_steps

        logs = TrialLogs(folder.tensorboard, distributions)
        steps = Steps(job, options, folder, facts, [progress, logs])
        run_steps(steps, options, data, folder)
    return publish(steps, folder, options.storage)
