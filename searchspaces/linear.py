"""Search logistic regression by gradient descent."""

from typing import TYPE_CHECKING

from searchspaces.training import (
    STL10_CROP,
    suggest_affine,
    suggest_augmentation,
    suggest_training,
)

if TYPE_CHECKING:
    from optuna import Trial


def space(trial: "Trial") -> None:
    """Search its training and augmentation."""
    suggest_training(trial, lowest_lr=1e-5)
    suggest_augmentation(trial)


def stl10_space(trial: "Trial") -> dict[str, float]:
    """Search its training and augmentation, on random crops."""
    space(trial)
    suggest_affine(trial)
    return {"crop_fraction": STL10_CROP}
