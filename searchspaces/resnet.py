"""Residual networks of fixed size: how to train them, and dropout before the classifier."""

from typing import TYPE_CHECKING

from searchspaces.training import suggest_augmentation, suggest_training

if TYPE_CHECKING:
    from optuna import Trial


def space(trial: "Trial") -> None:
    suggest_training(trial)
    suggest_augmentation(trial)
    trial.suggest_float("label_smoothing", 0.0, 0.2)
    trial.suggest_float("dropout", 0.0, 0.5)
