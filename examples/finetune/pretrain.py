"""The first of two jobs: a network for the set that has many images. `job.py` tells of both."""

from typing import TYPE_CHECKING

from tune_jobs.engine import Job, main

if TYPE_CHECKING:
    from optuna import Trial


def space(trial: "Trial") -> None:
    """How the network is trained. Its layers are not searched: they stay the default ones."""
    trial.suggest_float("lr", 1e-4, 1e-2, log=True)
    trial.suggest_categorical("batch_size", (32, 64, 128))
    trial.suggest_float("dropout", 0.0, 0.5)


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
