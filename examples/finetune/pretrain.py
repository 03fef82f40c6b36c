"""The first of two jobs: a network for the set that has many images. `job.py` tells of both."""

from typing import TYPE_CHECKING, Any

from tune_jobs.engine import Job, main

if TYPE_CHECKING:
    from optuna import Trial

NETWORK: dict[str, Any] = {"filters": (16, 32), "dense": (64,)}
"""What both jobs fix: weights fit a network of the same layers only."""


def space(trial: "Trial") -> dict[str, Any]:
    """How the network is trained; its layers are fixed."""
    trial.suggest_float("lr", 1e-4, 1e-2, log=True)
    trial.suggest_categorical("batch_size", (32, 64, 128))
    trial.suggest_float("dropout", 0.0, 0.5)
    return NETWORK


JOB = Job(
    name="pretrain",
    dataset="folder:digits/many",
    architecture="cnn",
    space=space,
    trials=8,
    epochs=10,
)

if __name__ == "__main__":
    main(JOB)
