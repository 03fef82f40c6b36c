"""Search fully connected networks."""

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
    """Search one to three hidden layers."""
    suggest_training(trial, lowest_lr=1e-5)
    suggest_augmentation(trial)
    _suggest_hidden(trial)


def stl10_space(trial: "Trial") -> dict[str, float]:
    """Search one to three hidden layers, on random crops."""
    space(trial)
    suggest_affine(trial)
    return {"crop_fraction": STL10_CROP}


def head_space(trial: "Trial") -> None:
    """Search one to three hidden layers on features computed once: nothing is augmented."""
    suggest_training(trial, lowest_lr=1e-5)
    _suggest_hidden(trial)


def ranked_space(trial: "Trial") -> None:
    """Search one to three hidden layers, and how many of the ranked features they get."""
    head_space(trial)
    trial.suggest_int("num_features", 16, 128, log=True)


def cifar10_space(trial: "Trial") -> dict[str, str]:
    """Search hidden layers that halve, quarter, or do both in turn, from the input's width to the
    classes; or up to five layers of any width."""
    suggest_training(trial)
    suggest_augmentation(trial)
    trial.suggest_float("dropout", 0.0, 0.6)
    if trial.suggest_categorical("taper", ("none", "half", "quarter", "quarter_half")) == "none":
        trial.suggest_categorical("hidden_1", (256, 512, 1024, 2048))
        trial.suggest_categorical("hidden_2", (0, 256, 512, 1024))
        trial.suggest_categorical("hidden_3", (0, 128, 256, 512))
        trial.suggest_categorical("hidden_4", (0, 128, 256))
        trial.suggest_categorical("hidden_5", (0, 64, 128))
    trial.suggest_categorical("batch_norm", (True, False))
    trial.suggest_categorical("activation", ACTIVATIONS)
    return {"normalisation": "half"}


def _suggest_hidden(trial: "Trial") -> None:
    trial.suggest_int("hidden_1", 32, 1024, log=True)
    trial.suggest_categorical("hidden_2", (0, 32, 64, 100, 128, 256, 512))
    trial.suggest_categorical("hidden_3", (0, 32, 50, 64, 100, 128, 256))
    trial.suggest_categorical("batch_norm", (True, False))
    trial.suggest_float("dropout", 0.0, 0.6)
