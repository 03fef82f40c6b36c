"""Evaluate a retrained model on the test split, which it sees only here; keep its predictions."""

import math
import time
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn

from trainables.config import ConfigError
from trainables.datasets import ImageData
from trainables.datasets.image_data import Integers
from trainables.metrics import HeldOutMetrics
from trainables.training.evaluate import score
from trainables.trials.cost import measure_cost
from trainables.trials.embeddings import Embeddings, choose_positions, write_embeddings
from trainables.trials.predictions import VALIDATION, Predictions, write_predictions
from trainables.trials.trial import Trial


def evaluate_on_test(trial: Trial, data: ImageData, folder: Path) -> HeldOutMetrics:
    """Predict the test split; keep in `folder` the predictions, some embeddings, and the
    predictions of the validation split, by which models are joined.

    Raises:
        ConfigError: The model's answer to a test image is no finite number.
    """
    indices = data.test_indices
    started = time.perf_counter()
    logits_NK = trial.predict_logits(indices).cpu()
    test_seconds = time.perf_counter() - started
    evaluation = score(logits_NK, torch.tensor(data.labels_N[indices]))
    if not math.isfinite(evaluation.loss):  # which no record can hold, nor a row
        raise ConfigError(_name_unanswered(logits_NK, indices, data))
    write_predictions(folder, _predictions(logits_NK, indices, data))
    write_embeddings(folder, _embed(trial, data))
    cost = measure_cost(trial, data, test_seconds)
    validation_NK = trial.predict_logits(data.validation_indices).cpu()
    seen = _predictions(validation_NK, data.validation_indices, data)
    write_predictions(folder, seen, VALIDATION)
    return HeldOutMetrics(**asdict(evaluation), cost=cost)


def _name_unanswered(logits_NK: Tensor, indices: Integers, data: ImageData) -> str:
    labels_N = torch.tensor(data.labels_N[indices])
    losses_N = nn.functional.cross_entropy(logits_NK, labels_N, reduction="none")
    image = indices[int((~losses_N.isfinite()).nonzero()[0])]
    return (
        f"the model's answer to the test image {str(data.names_N[image])!r} is no finite number: "
        "an architecture must give one for any image, also for one of a single colour"
    )


def _predictions(logits_NK: Tensor, indices: Integers, data: ImageData) -> Predictions:
    return Predictions(
        indices_N=indices,
        labels_N=data.labels_N[indices],
        predicted_N=logits_NK.argmax(dim=1).numpy(),
        probabilities_NK=logits_NK.softmax(dim=1).float().numpy(),
        names=tuple(data.names_N[indices].tolist()),
    )


def _embed(trial: Trial, data: ImageData) -> Embeddings:
    positions_N = choose_positions(len(data.test_indices))
    chosen = data.test_indices[positions_N]
    between = trial.intermediate_features(chosen)
    return Embeddings(
        positions_N=positions_N,
        last_ND=trial.features(chosen).cpu().float().numpy(),
        intermediate_ND=None if between is None else between.cpu().float().numpy(),
    )
