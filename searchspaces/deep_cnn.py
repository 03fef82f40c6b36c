"""Search the deep CNN whose feature maps are augmented."""

from typing import TYPE_CHECKING

from searchspaces.training import ACTIVATIONS, suggest_augmentation, suggest_training

if TYPE_CHECKING:
    from optuna import Trial


def space(trial: "Trial") -> dict[str, str]:
    """Search its width, up to five dense layers, activation, dropout and the changes of maps."""
    suggest_training(trial)
    suggest_augmentation(trial)
    trial.suggest_categorical("width", (0.25, 0.5, 1.0))
    trial.suggest_categorical("activation", ACTIVATIONS)
    trial.suggest_float("dropout", 0.0, 0.6)
    trial.suggest_categorical("dense_1", (0, 1000, 3000))
    trial.suggest_categorical("dense_2", (0, 512, 1000))
    trial.suggest_categorical("dense_3", (0, 256, 512))
    trial.suggest_categorical("dense_4", (0, 512))
    trial.suggest_categorical("dense_5", (0, 256))
    trial.suggest_float("dense_dropout", 0.0, 0.6)
    trial.suggest_float("map_rotation_degrees", 0.0, 10.0)
    trial.suggest_categorical("map_flip", (0.0, 0.5))
    return {"normalisation": "unit"}
