"""A network that was trained on one set is trained further on another, which has few images.

    python examples/finetune/make_digits.py
    python examples/finetune/pretrain.py
    python examples/finetune/job.py --weights runs/pretrain/RUN/models/MODEL.safetensors
    python examples/finetune/job.py            # the same from scratch, to see what it gains

The end of a run prints its model's path. `--weights` takes an exported model, a torch state dict or
`imagenet`; all but the classifier is kept, since the classes are others. Both runs are rows of one
leaderboard, as data and split are the same (`tune-jobs leaderboard`), so the table says whether the
weights helped, and by how much.
"""

from typing import TYPE_CHECKING, Any

from pretrain import NETWORK

from tune_jobs.engine import Job, main

if TYPE_CHECKING:
    from optuna import Trial


def space(trial: "Trial") -> dict[str, Any]:
    """How the network is trained; its layers are those of the first job."""
    trial.suggest_float("lr", 1e-4, 1e-2, log=True)
    trial.suggest_categorical("batch_size", (16, 32, 128))
    trial.suggest_float("dropout", 0.0, 0.5)
    trial.suggest_categorical("l2", (0.0, 1e-4, 1e-3))
    return NETWORK


JOB = Job(
    name="finetune",
    dataset="folder:digits/few",
    architecture="cnn",
    space=space,
    trials=8,
    epochs=10,
)

if __name__ == "__main__":
    main(JOB)
