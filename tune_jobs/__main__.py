"""`python -m tune_jobs`: lists the jobs; its sub-commands are all that is not a job."""

import sys

from tune_jobs.engine.cli.commands import main

sys.exit(main())
