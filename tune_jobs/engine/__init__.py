"""Run jobs. A job file needs `Job` and `main`; `run` does the same from Python."""

from tune_jobs.engine.cli.command_line import main
from tune_jobs.engine.job import Job, Published
from tune_jobs.engine.pipeline import run

__all__ = ["Job", "Published", "main", "run"]
