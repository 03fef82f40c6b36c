"""Search AlexNet: how to train it, its dense width, activation and regularisation."""

from typing import TYPE_CHECKING

from searchspaces.training import (
    ACTIVATIONS,
    suggest_augmentation,
    suggest_training,
)

if TYPE_CHECKING:
    from optuna import Trial


def space(trial: "Trial") -> None:
    """Search its training, its dense width, activation and regularisation."""
    suggest_training(trial)
    suggest_augmentation(trial)
    trial.suggest_float("dropout", 0.0, 0.6)
    trial.suggest_categorical("dense_width", (512, 1024, 2048))
    trial.suggest_categorical("activation", ACTIVATIONS)
