"""Fully connected networks."""

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
    """One to three hidden layers."""
    suggest_training(trial, lowest_lr=1e-5)
    suggest_augmentation(trial)
    trial.suggest_int("hidden_1", 32, 1024, log=True)
    trial.suggest_categorical("hidden_2", (0, 32, 64, 100, 128, 256, 512))
    trial.suggest_categorical("hidden_3", (0, 32, 50, 64, 100, 128, 256))
    trial.suggest_categorical("batch_norm", (True, False))
    trial.suggest_float("dropout", 0.0, 0.6)


def tapered_space(trial: "Trial") -> None:
    """Layers that halve, quarter, or both in turn, from the input's width to the classes."""
    suggest_training(trial)
    suggest_augmentation(trial)
    suggest_regularisation(trial)
    trial.suggest_categorical("taper", ("half", "quarter", "quarter_half"))
    trial.suggest_categorical("batch_norm", (True, False))
    trial.suggest_categorical("activation", ACTIVATIONS)
