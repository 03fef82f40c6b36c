"""Plain convolutional networks of two to four blocks."""

from typing import TYPE_CHECKING

from searchspaces.training import suggest_augmentation, suggest_training

if TYPE_CHECKING:
    from optuna import Trial


def space(trial: "Trial") -> None:
    suggest_training(trial)
    suggest_augmentation(trial)
    trial.suggest_categorical("filters_1", (16, 32, 48, 64))
    trial.suggest_categorical("filters_2", (32, 64, 96, 128))
    trial.suggest_categorical("filters_3", (0, 64, 128, 192))
    trial.suggest_categorical("filters_4", (0, 128, 256))
    trial.suggest_categorical("dense_1", (0, 64, 128, 256))
    trial.suggest_categorical("batch_norm", (True, False))
    trial.suggest_float("dropout", 0.0, 0.6)
