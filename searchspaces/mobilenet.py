"""Search MobileNetV2: how to train it, and dense layers before the classifier."""

from typing import TYPE_CHECKING

from searchspaces.training import (
    STL10_CROP,
    suggest_affine,
    suggest_augmentation,
    suggest_training,
)

if TYPE_CHECKING:
    from optuna import Trial


def stl10_space(trial: "Trial") -> dict[str, str | float]:
    """Search its training on random crops, at learning rates that keep what ImageNet taught it."""
    suggest_training(trial, lowest_lr=1e-5)
    suggest_augmentation(trial)
    suggest_affine(trial)
    trial.suggest_float("dropout", 0.0, 0.5)
    trial.suggest_categorical("head_1", (0, 128, 256, 512, 1024))
    trial.suggest_categorical("head_2", (0, 64, 128, 256))
    return {"normalisation": "imagenet", "crop_fraction": STL10_CROP}
