"""What a run says at its end: the leaderboard, and the commands that look further."""

import shlex
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

from rich.console import Console

from tune_jobs.engine.job import Job
from tune_jobs.engine.options import Options
from tune_jobs.engine.run_state.folder import TENSORBOARD
from tune_jobs.engine.run_state.provenance import program

if TYPE_CHECKING:
    from tune_jobs.engine.results.row import Row
    from tune_jobs.engine.results.run_result import RunResult


def show_rows(rows: "Sequence[Row]", console: Console) -> None:
    """Show a run's rows of the leaderboard."""
    from tune_jobs.engine.results.table import render_table  # imports scipy, which takes a second

    console.print()
    console.print(render_table(rows, console.width))
    console.print()


def show_outcome(result: "RunResult", more: str, console: Console) -> None:
    """Show what a run has found beside its rows, and the commands that look further.

    Args:
        more: The command that continues the run with more trials.
    """
    told = {
        **{f"by {cost}": front for cost, front in result.fronts.items()},
        **result.learned,
        "failed": result.failures,
        "dropped out": result.dropped,
        "time budget": result.time_budget,
        "report": result.report,
    }
    for name, text in told.items():
        if text:
            console.print(f"{name:12} {text}", highlight=False, markup=False, soft_wrap=True)
    for purpose, command in {
        "curves": ["tensorboard", "--logdir", tensorboard_folder(result.folder)],
        **({"trials": ["optuna-dashboard", result.study]} if result.study else {}),
        "leaderboard": ["python", "-m", "tune_jobs", "leaderboard", result.storage],
        **({"predict": predict_command(result.model)} if result.model else {}),
        **({"ensemble": predict_command(result.ensemble)} if result.ensemble else {}),
        "more trials": shlex.split(more),
    }.items():
        console.print(
            f"{purpose:12} {shlex.join(command)}", highlight=False, markup=False, soft_wrap=True
        )


def tensorboard_folder(run: str) -> str:
    """Return the folder of logs as TensorBoard takes it, which knows none of pyarrow's options."""
    return f"{run.partition('?')[0]}/{TENSORBOARD}"


def predict_command(model: str) -> list[str]:
    return ["python", "-m", "tune_jobs", "predict", model, "WHAT"]


def resume_command(job: Job, options: Options, *, trials: str | None = None) -> str:
    """The command line that continues this run: what was given, and `--resume`.

    Args:
        trials: In place of the `--trials` that was given.
    """
    words = program()
    usual = Options.resolve(job)
    for option in fields(Options):
        value = trials if trials and option.name == "trials" else getattr(options, option.name)
        if option.name in ("run_id", "resume") or value == getattr(usual, option.name):
            continue
        words.append(f"--{option.name.replace('_', '-')}")
        if value is not True:
            words.append(str(value))
    return shlex.join([*words, "--resume", options.run_id])
