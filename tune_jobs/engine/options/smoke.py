"""What `--smoke` changes."""

from typing import Any

from tune_jobs.engine.job import Job

SMOKE_TRIALS = 2


def smoke_defaults(job: Job) -> dict[str, Any]:
    """Defaults that take every step of `job` in seconds, without a download."""
    height, width, channels = job.shape
    return {
        "dataset": f"generated:{height}x{width}x{channels}?classes={job.num_classes}",
        "weights": "scratch",
        "trials": SMOKE_TRIALS,
        "epochs": 1,
        "retrain_top": 1,
        "retrain_seeds": 1,
        "max_parallel": 1,
        "storage": "smoke",
    }
