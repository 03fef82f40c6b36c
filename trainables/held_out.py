"""The one look at the test split that a retrained model gets."""

import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from trainables.cost import measure_cost
from trainables.datasets import ImageData
from trainables.evaluate import score
from trainables.predictions import EMBEDDINGS, Predictions, write_predictions
from trainables.trials import Trial

MOST_EMBEDDED = 1000
"""Test images whose features are kept: as many as a t-SNE in a browser takes."""


def evaluate_on_test(trial: Trial, data: ImageData, folder: Path) -> dict[str, float | int]:
    """Predict the test split, keep every prediction in `folder` -> test's figures and the cost."""
    indices = data.test_indices
    started = time.perf_counter()
    logits_NK = trial.predict_logits(indices).cpu()
    test_seconds = time.perf_counter() - started
    labels_N = torch.tensor(data.labels_N[indices])
    write_predictions(
        folder,
        Predictions(
            indices_N=indices,
            labels_N=data.labels_N[indices],
            predicted_N=logits_NK.argmax(dim=1).numpy(),
            probabilities_NK=logits_NK.softmax(dim=1).float().numpy(),
        ),
    )
    np.save(folder / EMBEDDINGS, trial.features(indices[:MOST_EMBEDDED]).cpu().float().numpy())
    test = asdict(score(logits_NK, labels_N))
    return {
        **{f"test_{name}": value for name, value in test.items()},
        **measure_cost(trial, indices, test_seconds),
    }
