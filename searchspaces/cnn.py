"""Search plain convolutional networks."""

from typing import TYPE_CHECKING

from searchspaces.training import (
    ACTIVATIONS,
    STL10_CROP,
    suggest_affine,
    suggest_augmentation,
    suggest_training,
)

if TYPE_CHECKING:
    from optuna import Trial


def space(trial: "Trial") -> None:
    """Search two to four blocks, one dense layer or none."""
    suggest_training(trial)
    suggest_augmentation(trial)
    trial.suggest_categorical("filters_1", (16, 24, 32, 48))
    trial.suggest_categorical("filters_2", (32, 48, 64, 96))
    trial.suggest_categorical("filters_3", (0, 64, 96, 128))
    trial.suggest_categorical("filters_4", (0, 128))
    trial.suggest_categorical("dense_1", (0, 64, 128, 256))
    trial.suggest_categorical("batch_norm", (True, False))
    trial.suggest_float("dropout", 0.0, 0.6)


def cifar10_space(trial: "Trial") -> dict[str, str]:
    """Search two to four blocks, dense layers by width or tapering, activation, regularisation."""
    suggest_training(trial)
    suggest_augmentation(trial)
    trial.suggest_float("dropout", 0.0, 0.6)
    trial.suggest_categorical("filters_1", (24, 32, 48))
    trial.suggest_categorical("filters_2", (48, 64, 96))
    trial.suggest_categorical("filters_3", (0, 64, 128))
    trial.suggest_categorical("filters_4", (0, 128))
    trial.suggest_categorical("dense_1", (0, 64, 128, 256))
    trial.suggest_categorical("dense_taper", ("none", "half", "quarter"))
    trial.suggest_categorical("batch_norm", (True, False))
    trial.suggest_categorical("activation", ACTIVATIONS)
    return {"normalisation": "half"}


def mnist_space(trial: "Trial") -> dict[str, int]:
    """Search two convolutions with one pooling after both."""
    suggest_training(trial)
    suggest_augmentation(trial)
    trial.suggest_categorical("filters_1", (16, 32, 64))
    trial.suggest_categorical("filters_2", (16, 32, 64))
    trial.suggest_categorical("dense_1", (64, 128, 256))
    trial.suggest_categorical("batch_norm", (True, False))
    trial.suggest_float("dropout", 0.0, 0.6)
    return {"pool_every": 2}


def stl10_space(trial: "Trial") -> dict[str, bool | float]:
    """Search two or three blocks without padding, one or two dense layers, on random crops."""
    suggest_training(trial)
    suggest_augmentation(trial)
    suggest_affine(trial)
    trial.suggest_categorical("filters_1", (16, 20, 32, 64))
    trial.suggest_categorical("filters_2", (32, 64, 128))
    trial.suggest_categorical("filters_3", (0, 64, 128))
    trial.suggest_categorical("dense_1", (50, 100, 200))
    trial.suggest_categorical("dense_2", (0, 50, 100))
    trial.suggest_categorical("batch_norm", (True, False))
    trial.suggest_float("dropout", 0.0, 0.6)
    return {"same_padding": False, "crop_fraction": STL10_CROP}


def hallucination_space(trial: "Trial") -> dict[str, str]:
    """Search three or four blocks, two wide dense layers, and the place of batch norm.

    Only three blocks may go without padding: with four, images of 32 pixels would be used up.
    """
    suggest_training(trial)
    suggest_augmentation(trial)
    trial.suggest_categorical("resize", (0, 32))
    trial.suggest_categorical("filters_1", (16, 32, 64))
    trial.suggest_categorical("filters_2", (32, 64, 128))
    trial.suggest_categorical("filters_3", (32, 64, 128))
    if trial.suggest_categorical("filters_4", (0, 128, 256)) == 0:
        trial.suggest_categorical("same_padding", (True, False))
    trial.suggest_categorical("dense_1", (0, 512, 1000, 3000))
    trial.suggest_categorical("dense_2", (0, 512, 1000))
    trial.suggest_categorical("batch_norm", (True, False))
    trial.suggest_categorical("norm_after_activation", (True, False))
    trial.suggest_categorical("activation", ACTIVATIONS)
    trial.suggest_float("dropout", 0.0, 0.6)
    return {"normalisation": "unit"}
