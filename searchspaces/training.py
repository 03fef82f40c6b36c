"""Suggest what every network's space shares: how the network is trained."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optuna import Trial

L2 = (0.0, 1e-6, 1e-5, 4e-5, 5e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
"""Choices in place of a logarithmic range, which cannot hold 0: most published configurations use
no weight decay."""

STL10_CROP = 2 / 3
"""The fraction of a side to crop, 64 of STL-10's 96 pixels: at random in training, the centre in
evaluation."""

SCHEDULES = (
    "constant",
    "step",
    "exponential",
    "warmup_exponential",
    "plateau",
    "cosine",
    "one_cycle",
)

ACTIVATIONS = ("relu", "leaky_relu", "elu", "gelu", "silu", "tanh")


def suggest_training(trial: "Trial", *, lowest_lr: float = 1e-4) -> None:
    """Suggest lr, l2, batch size, optimizer and schedule.

    Args:
        lowest_lr: The lowest learning rate; a published configuration may need a lower one.
    """
    trial.suggest_float("lr", lowest_lr, 1e-1, log=True)
    trial.suggest_categorical("l2", L2)
    trial.suggest_categorical("batch_size", (32, 64, 128, 256))
    trial.suggest_categorical("optimizer", ("sgd", "adam", "adamw"))
    trial.suggest_categorical("schedule", SCHEDULES)


def suggest_augmentation(trial: "Trial") -> None:
    """Suggest how often images are flipped, how far they are shifted and turned; 0 does nothing."""
    trial.suggest_categorical("horizontal_flip", (0.0, 0.5))
    trial.suggest_float("crop_padding", 0.0, 0.15)
    trial.suggest_float("rotation_degrees", 0.0, 20.0)


def suggest_affine(trial: "Trial") -> None:
    """Suggest how far images are sheared, zoomed and moved, besides `suggest_augmentation`."""
    trial.suggest_float("shear_degrees", 0.0, 10.0)
    trial.suggest_float("zoom", 0.0, 0.2)
    trial.suggest_float("translation", 0.0, 0.1)


def suggest_regularisation(trial: "Trial") -> None:
    """Suggest dropout and label smoothing."""
    trial.suggest_float("dropout", 0.0, 0.6)
    trial.suggest_float("label_smoothing", 0.0, 0.2)
