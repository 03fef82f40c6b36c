"""A job whose trials misbehave as the environment variable `FAULTS` says, by their number."""

import json
import os
import signal
from typing import TYPE_CHECKING, Any

from tune_jobs.engine import Job, main

if TYPE_CHECKING:
    from optuna import Trial


def space(trial: "Trial") -> dict[str, Any]:
    trial.suggest_float("lr", 1e-3, 1e-1, log=True)
    trial.suggest_categorical("optimizer", ("sgd", "adam"))
    trial.suggest_int("width", 8, int(os.environ.get("LARGEST_WIDTH", "32")))
    faults: dict[str, dict[str, Any]] = json.loads(os.environ.get("FAULTS", "{}"))
    return faults.get(str(trial.number), faults.get("*", {}))


JOB = Job(
    name="faulty", dataset="digits", architecture="faulty.net", space=space, trials=4, epochs=4
)

if __name__ == "__main__":
    if "DIE_IN_A_WRITE" in os.environ:  # the test sets the limit, when it likes
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    main(JOB)
