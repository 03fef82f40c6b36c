"""The one look at the test split that a retrained model gets."""

import time
from dataclasses import asdict
from pathlib import Path

import torch

from trainables.cost import measure_cost
from trainables.datasets import ImageData
from trainables.embeddings import Embeddings, choose_positions, write_embeddings
from trainables.evaluate import score
from trainables.predictions import Predictions, write_predictions
from trainables.trials import Trial


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
    write_embeddings(folder, _embed(trial, data))
    test = asdict(score(logits_NK, labels_N))
    return {
        **{f"test_{name}": value for name, value in test.items()},
        **measure_cost(trial, indices, test_seconds),
    }


def _embed(trial: Trial, data: ImageData) -> Embeddings:
    positions_N = choose_positions(len(data.test_indices))
    chosen = data.test_indices[positions_N]
    between = trial.intermediate_features(chosen)
    return Embeddings(
        positions_N=positions_N,
        last_ND=trial.features(chosen).cpu().float().numpy(),
        intermediate_ND=None if between is None else between.cpu().float().numpy(),
    )
