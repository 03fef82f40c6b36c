"""Logistic regression."""

from typing import TYPE_CHECKING

from searchspaces.training import suggest_augmentation, suggest_training

if TYPE_CHECKING:
    from optuna import Trial


def space(trial: "Trial") -> None:
    suggest_training(trial, lowest_lr=1e-5)
    suggest_augmentation(trial)
