"""A small training, and all of it that must repeat to the bit."""

from dataclasses import asdict
from typing import Any

import torch

from trainables.config import Runtime
from trainables.metrics import EpochMetrics
from trainables.training.fit import Training

CPU = Runtime(device="cpu")


MLP = {"architecture": "mlp", "hidden_1": 16, "batch_size": 16, "epochs": 4, "lr": 3e-3}


HARD = {
    "dropout": 0.3,
    "label_smoothing": 0.1,
    "horizontal_flip": 0.5,
    "crop_padding": 0.2,
    "rotation_degrees": 10,
}


def figures(reports: list[EpochMetrics]) -> list[dict[str, Any]]:
    """All that must repeat to the bit."""
    return [{k: v for k, v in asdict(report).items() if k != "seconds"} for report in reports]


def same_weights(one: Training, other: Training) -> bool:
    mine, theirs = one.model.state_dict(), other.model.state_dict()
    return all(torch.equal(mine[name], theirs[name]) for name in mine)
