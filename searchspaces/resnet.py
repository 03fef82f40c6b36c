"""Search residual networks of fixed depth: how to train them, and layers before the classifier."""

from typing import TYPE_CHECKING

from searchspaces.training import suggest_augmentation, suggest_training

if TYPE_CHECKING:
    from optuna import Trial


def space(trial: "Trial") -> None:
    """Search training from scratch or from pretrained weights, and dropout before the classifier.

    A step schedule's length and factor are searched where that schedule is chosen.
    """
    suggest_training(trial, more_schedules=("step",))
    if trial.params["schedule"] == "step":
        trial.suggest_categorical("step_epochs", (5, 10, 20))
        trial.suggest_categorical("step_gamma", (0.1, 0.2, 0.5))
    suggest_augmentation(trial)
    trial.suggest_float("dropout", 0.0, 0.5)


def finetune_space(trial: "Trial") -> dict[str, str]:
    """Search training from ImageNet's weights, under the stem and normalisation that fit them."""
    space(trial)
    return {"stem": "imagenet", "normalisation": "imagenet"}


def head_space(trial: "Trial") -> dict[str, str]:
    """Search up to four dense layers before the classifier, under ImageNet's stem."""
    space(trial)
    trial.suggest_categorical("head_1", (0, 256, 512, 1024))
    trial.suggest_categorical("head_2", (0, 128, 256))
    trial.suggest_categorical("head_3", (0, 64))
    trial.suggest_categorical("head_4", (0, 16, 32))
    return {"stem": "imagenet", "normalisation": "half"}
