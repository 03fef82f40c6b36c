"""Every option of a run: the command line, the Python API and `run.json` at once."""

from tune_jobs.engine.options.options import JOB_DEFAULTS, UNLIMITED_TRIALS, Options
from tune_jobs.engine.options.rules import TRACKERS
from tune_jobs.engine.options.smoke import SMOKE_TRIALS

__all__ = ["JOB_DEFAULTS", "SMOKE_TRIALS", "TRACKERS", "UNLIMITED_TRIALS", "Options"]
