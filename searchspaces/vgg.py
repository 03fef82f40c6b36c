"""Search VGG-16 with batch norm."""

from typing import TYPE_CHECKING

from searchspaces.training import ACTIVATIONS, suggest_augmentation, suggest_training

if TYPE_CHECKING:
    from optuna import Trial


def space(trial: "Trial") -> dict[str, str]:
    """Search its width, up to four dense layers, activation, dropout and the changes of maps.

    A plateau's factor, patience and lowest rate are searched where that schedule is chosen.
    """
    suggest_training(trial, more_schedules=("exponential", "warmup_exponential", "plateau"))
    if trial.params["schedule"] == "plateau":
        trial.suggest_categorical("plateau_factor", (0.1, 0.2, 0.5, 0.8))
        trial.suggest_int("plateau_patience", 2, 30)
        trial.suggest_categorical("plateau_min_lr", (0.0, 1e-5, 1e-4))
    suggest_augmentation(trial)
    trial.suggest_categorical("width", (0.25, 0.5, 1.0))
    trial.suggest_categorical("activation", ACTIVATIONS)
    trial.suggest_float("dropout", 0.0, 0.7)
    trial.suggest_categorical("dense_1", (0, 512, 1024, 4069, 4096))
    trial.suggest_categorical("dense_2", (0, 512, 1024, 4069, 4096))
    trial.suggest_categorical("dense_3", (0, 256, 512))
    trial.suggest_categorical("dense_4", (0, 512))
    trial.suggest_float("dense_dropout", 0.0, 0.8)
    trial.suggest_float("map_rotation_degrees", 0.0, 10.0)
    trial.suggest_categorical("map_flip", (0.0, 0.5))
    return {"normalisation": "unit"}
