"""Search networks of any library: how they are trained, from scratch or from weights."""

from typing import TYPE_CHECKING

from searchspaces.training import suggest_augmentation, suggest_training

if TYPE_CHECKING:
    from optuna import Trial


def space(trial: "Trial") -> dict[str, str]:
    """Search training of all layers at one rate, and dropout before the classifier."""
    suggest_training(trial, lowest_lr=1e-5)
    suggest_augmentation(trial)
    trial.suggest_float("dropout", 0.0, 0.5)
    return {"normalisation": "weights"}


def finetune_space(trial: "Trial") -> dict[str, str]:
    """Search training from weights: the classifier first, then all, slower near the image."""
    trial.suggest_categorical("head_epochs", (0, 1, 2, 4))
    trial.suggest_float("first_layer_lr", 0.01, 1.0, log=True)
    return space(trial)
