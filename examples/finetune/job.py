"""A network that was trained on one set is trained further on another, which has few images.

    python examples/finetune/make_digits.py
    python examples/finetune/pretrain.py
    python examples/finetune/job.py --weights runs/pretrain/RUN/models/MODEL.safetensors
    python examples/finetune/job.py            # the same from scratch, to see what it gains

The end of a run prints its model's path. `--weights` takes an exported model, a torch state dict or
`imagenet`; all but the classifier is kept, since the classes are others. Both runs of this job are
on one leaderboard, as data and split are the same. `tune-jobs leaderboard --format csv` has the
column `weights`, which tells their rows apart.
"""

from typing import TYPE_CHECKING

from tune_jobs.engine import Job, main

if TYPE_CHECKING:
    from optuna import Trial


def space(trial: "Trial") -> None:
    """How the network is trained. Its layers are those of the first job, which weights must fit."""
    trial.suggest_float("lr", 1e-4, 1e-2, log=True)
    trial.suggest_categorical("batch_size", (16, 32, 128))
    trial.suggest_categorical("l2", (0.0, 1e-4, 1e-3))
    trial.suggest_float("dropout", 0.0, 0.5)


JOB = Job(
    name="finetune",
    dataset="folder:digits/few",
    architecture="cnn",
    space=space,
    trials=8,
    epochs=3,
)

if __name__ == "__main__":
    main(JOB)
