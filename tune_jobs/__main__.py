"""List the jobs (`python -m tune_jobs`), or run a sub-command: all that is not a job."""

import sys

from tune_jobs.engine.cli.commands import main

sys.exit(main())
