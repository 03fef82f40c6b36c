"""Suggest what every network's space shares: how the network is trained."""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optuna import Trial

L2 = (0.0, 1e-5, 4e-5, 5e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
"""Choices in place of a logarithmic range, which cannot hold 0: most published configurations use
no weight decay. The sampler takes choices that are numbers in their order."""

LR = {"sgd": (1e-3, 1.0), "adam": (1e-4, 1e-2), "adamw": (1e-4, 1e-2)}
"""A range for each optimizer: an update of Adam's is about as long as its rate says, one of SGD's
as long as its gradient."""

STL10_CROP = 2 / 3
"""The fraction of a side to crop, 64 of STL-10's 96 pixels: at random in training, the centre in
evaluation."""

SCHEDULES = ("one_cycle", "cosine", "constant")

ACTIVATIONS = ("relu", "leaky_relu", "elu", "gelu", "silu", "tanh")


def suggest_training(
    trial: "Trial", *, lowest_lr: float = math.inf, more_schedules: tuple[str, ...] = ()
) -> None:
    """Suggest optimizer, lr, l2, batch size, schedule, label smoothing and averaging of weights.

    Args:
        lowest_lr: A rate that a published configuration needs, where the optimizer's range ends
            above it.
        more_schedules: Schedules that a published configuration needs, besides `SCHEDULES`.
    """
    optimizer = trial.suggest_categorical("optimizer", tuple(LR))
    low, high = LR[optimizer]
    trial.suggest_float("lr", min(low, lowest_lr), high, log=True)
    trial.suggest_categorical("l2", L2)
    trial.suggest_categorical("batch_size", (32, 64, 128, 256))
    trial.suggest_categorical("schedule", SCHEDULES + more_schedules)
    trial.suggest_float("label_smoothing", 0.0, 0.2)
    trial.suggest_categorical("ema_epochs", (0.0, 0.25, 1.0))


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


def suggest_colour_jitter(trial: "Trial") -> None:
    """Suggest how far brightness, contrast, saturation and hue are changed."""
    trial.suggest_float("brightness", 0.0, 0.4)
    trial.suggest_float("contrast", 0.0, 0.4)
    trial.suggest_float("saturation", 0.0, 0.4)
    trial.suggest_float("hue", 0.0, 0.1)


def suggest_strong_augmentation(trial: "Trial") -> None:
    """Suggest TrivialAugment, random erasing, mixup and cutmix, for large networks and long
    trainings; besides `suggest_augmentation`."""
    trial.suggest_categorical("trivial_augment", (0.0, 0.5, 1.0))
    trial.suggest_float("random_erasing", 0.0, 0.5)
    trial.suggest_categorical("mixup_alpha", (0.0, 0.1, 0.2, 0.4, 1.0))
    trial.suggest_categorical("cutmix_alpha", (0.0, 0.2, 1.0))
