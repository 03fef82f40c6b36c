"""Fully connected networks of one to three hidden layers."""

from typing import TYPE_CHECKING

from searchspaces.training import suggest_augmentation, suggest_training

if TYPE_CHECKING:
    from optuna import Trial


def space(trial: "Trial") -> None:
    suggest_training(trial)
    suggest_augmentation(trial)
    trial.suggest_int("hidden_1", 32, 1024, log=True)
    trial.suggest_categorical("hidden_2", (0, 32, 64, 100, 128, 256, 512))
    trial.suggest_categorical("hidden_3", (0, 32, 64, 100, 128, 256))
    trial.suggest_categorical("batch_norm", (True, False))
    trial.suggest_float("dropout", 0.0, 0.6)
