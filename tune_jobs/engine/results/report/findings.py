"""What the pictures show: the answers of a retrained configuration, taken apart."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from trainables.metrics import EpochMetrics
from trainables.trials.embeddings import Embeddings, read_embeddings
from trainables.trials.predictions import Predictions, read_predictions
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.results.report.tsne import Projection, project
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.run_state.folder import RunFolder, retraining_place
from tune_jobs.engine.stages.candidates import Retrained, best_seed

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Spread(NamedTuple):
    """Validation accuracy over the seeds, after an epoch."""

    epoch: int
    low: float
    mean: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Finding:
    """A retrained configuration, over its seeds.

    Attributes:
        title: What the page calls it: `winner`, `published 16`, `default`.
        names: Of its retrainings, one per seed.
        predictions: One per seed.
        curves: Per seed, the metrics of each epoch.
        best: Position of the seed that is best on validation.
        embeddings: Of that seed; `None` where it kept none.
        projections: Of these, one per layer.
    """

    title: str
    row: Row
    names: tuple[str, ...]
    predictions: list[Predictions]
    curves: list[list[EpochMetrics]]
    best: int
    embeddings: Embeddings | None
    projections: list[Projection]

    @property
    def chosen(self) -> Predictions:
        return self.predictions[self.best]

    def spread(self) -> list[Spread]:
        """Of the epochs that every seed reported."""
        seeds = [
            {m.epoch: m.val_accuracy for m in curve if math.isfinite(m.val_accuracy)}
            for curve in self.curves
        ]
        epochs = sorted(set.intersection(*(set(seed) for seed in seeds)))
        by_epoch = {epoch: [seed[epoch] for seed in seeds] for epoch in epochs}
        return [Spread(e, min(found), fmean(found), max(found)) for e, found in by_epoch.items()]

    def confusion_KK(self) -> Integers:  # noqa: N802 (a shape)
        """Counts by true class and predicted class, of all seeds together."""
        count = self.chosen.probabilities_NK.shape[1]
        confusion_KK = np.zeros((count, count), dtype=np.int64)
        for predictions in self.predictions:
            np.add.at(confusion_KK, (predictions.labels_N, predictions.predicted_N), 1)
        return confusion_KK


class ClassFigures(NamedTuple):
    name: str
    precision: float
    recall: float
    f1: float
    num_examples: int


class Mistake(NamedTuple):
    image: int  # index into `ImageData.images_NHWC`
    label: int
    predicted: int
    probability: float


def find(
    result: Retrained, row: Row, title: str, retrain: Record, folder: RunFolder
) -> Finding | None:
    """`None` where a seed's predictions are not there."""
    seeds = result.seeds
    kept = [
        read_predictions(retraining_place(folder.place, row.trial_number, seed)) for seed in seeds
    ]
    predictions = [found for found in kept if found is not None]
    if not seeds or len(predictions) < len(seeds):
        return None
    by_name = {retrain.name_of(trial.frozen): trial for trial in retrain.trials()}
    curves = [
        [metrics for _, metrics in sorted(by_name[name].epochs.items())] for name in result.names
    ]
    best = best_seed(result, retrain.metric)
    embeddings = read_embeddings(retraining_place(folder.place, row.trial_number, seeds[best]))
    return Finding(
        title=title,
        row=row,
        names=result.names,
        predictions=predictions,
        curves=curves,
        best=best,
        embeddings=embeddings,
        projections=project(embeddings, predictions[best]) if embeddings else [],
    )


def class_figures(confusion_KK: Integers, names: Sequence[str]) -> list[ClassFigures]:
    """As scikit-learn's classification report: what is divided by zero counts as zero."""
    hits_K = confusion_KK.diagonal()
    predicted_K, examples_K = confusion_KK.sum(axis=0), confusion_KK.sum(axis=1)
    precision_K = hits_K / np.maximum(predicted_K, 1)
    recall_K = hits_K / np.maximum(examples_K, 1)
    f1_K = 2 * hits_K / np.maximum(predicted_K + examples_K, 1)
    return [
        ClassFigures(name, float(p), float(r), float(f), int(n))
        for name, p, r, f, n in zip(names, precision_K, recall_K, f1_K, examples_K, strict=True)
    ]


def confused_pairs(confusion_KK: Integers, most: int = 10) -> list[tuple[int, int, int]]:
    """(true class, predicted class, count), most frequent first."""
    errors_KK = confusion_KK - np.diag(confusion_KK.diagonal())
    pairs = [(int(t), int(p), int(errors_KK[t, p])) for t, p in np.argwhere(errors_KK > 0)]
    return sorted(pairs, key=lambda pair: -pair[2])[:most]


def mistakes(predictions: Predictions, most: int = 12) -> list[Mistake]:
    """The wrong answers that the model was surest of."""
    wrong = np.flatnonzero(~predictions.correct_N)
    sure_N = predictions.probabilities_NK[wrong, predictions.predicted_N[wrong]]
    return [
        Mistake(
            int(predictions.indices_N[place]),
            int(predictions.labels_N[place]),
            int(predictions.predicted_N[place]),
            float(predictions.probabilities_NK[place, predictions.predicted_N[place]]),
        )
        for place in wrong[np.argsort(-sure_N, kind="stable")][:most]
    ]
