"""Plain convolutional networks."""

from typing import TYPE_CHECKING

from searchspaces.training import (
    ACTIVATIONS,
    suggest_augmentation,
    suggest_regularisation,
    suggest_training,
)

if TYPE_CHECKING:
    from optuna import Trial


def space(trial: "Trial") -> None:
    """Two to four blocks, one dense layer or none."""
    suggest_training(trial)
    suggest_augmentation(trial)
    trial.suggest_categorical("filters_1", (16, 32, 48, 64))
    trial.suggest_categorical("filters_2", (32, 64, 96, 128))
    trial.suggest_categorical("filters_3", (0, 64, 128, 192))
    trial.suggest_categorical("filters_4", (0, 128, 256))
    trial.suggest_categorical("dense_1", (0, 64, 128, 256))
    trial.suggest_categorical("batch_norm", (True, False))
    trial.suggest_float("dropout", 0.0, 0.6)


def cifar10_space(trial: "Trial") -> None:
    """Two to four blocks; dense layers by number or tapering; activation and regularisation."""
    suggest_training(trial)
    suggest_augmentation(trial)
    suggest_regularisation(trial)
    trial.suggest_categorical("filters_1", (32, 48, 64))
    trial.suggest_categorical("filters_2", (64, 96, 128))
    trial.suggest_categorical("filters_3", (0, 64, 128, 192))
    trial.suggest_categorical("filters_4", (0, 128, 256))
    trial.suggest_categorical("dense_1", (0, 64, 128, 256))
    trial.suggest_categorical("dense_taper", ("none", "half", "quarter"))
    trial.suggest_categorical("batch_norm", (True, False))
    trial.suggest_categorical("activation", ACTIVATIONS)


def mnist_space(trial: "Trial") -> dict[str, int]:
    """Two convolutions of a kind, then pooling once."""
    suggest_training(trial)
    suggest_augmentation(trial)
    trial.suggest_categorical("filters_1", (16, 32, 64))
    trial.suggest_categorical("filters_2", (16, 32, 64))
    trial.suggest_categorical("dense_1", (64, 128, 256))
    trial.suggest_categorical("batch_norm", (True, False))
    trial.suggest_float("dropout", 0.0, 0.6)
    return {"pool_every": 2}


def stl10_space(trial: "Trial") -> dict[str, bool]:
    """Two to four blocks without padding, two dense layers."""
    suggest_training(trial)
    suggest_augmentation(trial)
    trial.suggest_categorical("filters_1", (16, 20, 32, 64))
    trial.suggest_categorical("filters_2", (32, 64, 128))
    trial.suggest_categorical("filters_3", (0, 64, 128))
    trial.suggest_categorical("dense_1", (50, 100, 200))
    trial.suggest_categorical("dense_2", (0, 50, 100))
    trial.suggest_categorical("batch_norm", (True, False))
    trial.suggest_float("dropout", 0.0, 0.6)
    return {"same_padding": False}
