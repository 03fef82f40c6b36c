"""What the pictures show: the answers of a retrained configuration, taken apart."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from trainables.metrics import EpochMetrics
from trainables.trials.embeddings import Embeddings, read_embeddings
from trainables.trials.predictions import DamagedFileError, Predictions, read_predictions
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.results.report.tsne import Projection, project
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.run_state.folder import RunFolder, retraining_place
from tune_jobs.engine.stages.candidates import Retrained, best_seed

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MOST_CONFUSED = 10
MOST_MISTAKES = 12


class Spread(NamedTuple):
    """Validation accuracy over the seeds, after an epoch."""

    epoch: int
    low: float
    mean: float
    high: float


class ClassFigures(NamedTuple):
    name: str
    precision: float
    recall: float
    f1: float
    num_examples: int


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Finding:
    """A retrained configuration, over its seeds.

    Attributes:
        title: What the page calls it: `winner`, `published 16`, `default`.
        class_names: By class.
        predictions: One per seed.
        curves: Per seed, the metrics of each epoch.
        best: Position of the seed that is best on validation.
        embeddings: Of that seed; `None` where it kept none.
        projections: Of these, one per layer.
    """

    title: str
    row: Row
    class_names: Sequence[str]
    predictions: list[Predictions]
    curves: list[list[EpochMetrics]]
    best: int
    embeddings: Embeddings | None
    projections: list[Projection]

    @property
    def chosen(self) -> Predictions:
        return self.predictions[self.best]

    def spread(self) -> list[Spread]:
        """Summarise the epochs that every seed reported."""
        seeds = [
            {m.epoch: m.val_accuracy for m in curve if math.isfinite(m.val_accuracy)}
            for curve in self.curves
        ]
        epochs = sorted(set.intersection(*(set(seed) for seed in seeds)))
        by_epoch = {epoch: [seed[epoch] for seed in seeds] for epoch in epochs}
        return [Spread(e, min(found), fmean(found), max(found)) for e, found in by_epoch.items()]

    def confusion_KK(self) -> Integers:  # noqa: N802 (a shape)
        """Count by true class and predicted class, all seeds together."""
        classes = range(len(self.class_names))
        confusion_KK: Integers = confusion_matrix(*self._answers(), labels=classes)
        return confusion_KK

    def by_class(self) -> list[ClassFigures]:
        """Score each class, all seeds together; what is divided by zero counts as zero."""
        figures_4K = precision_recall_fscore_support(
            *self._answers(), labels=range(len(self.class_names)), zero_division=0
        )
        return [
            ClassFigures(name, float(p), float(r), float(f), int(n))
            for name, p, r, f, n in zip(self.class_names, *figures_4K, strict=True)
        ]

    def most_confused(self) -> list[tuple[str, str, int]]:
        """(true class, predicted class, count), most frequent first."""
        confusion_KK = self.confusion_KK()
        np.fill_diagonal(confusion_KK, 0)
        pairs = [(t, p, int(confusion_KK[t, p])) for t, p in np.argwhere(confusion_KK)]
        pairs.sort(key=lambda pair: -pair[2])
        return [(self.class_names[t], self.class_names[p], n) for t, p, n in pairs[:MOST_CONFUSED]]

    def _answers(self) -> tuple[Integers, Integers]:
        """(true classes, predicted classes) of all seeds together."""
        return (
            np.concatenate([seed.labels_N for seed in self.predictions]),
            np.concatenate([seed.predicted_N for seed in self.predictions]),
        )


class Mistake(NamedTuple):
    image: int  # index into `ImageData.images_NHWC`
    label: int
    predicted: int
    probability: float


def find(
    result: Retrained,
    row: Row,
    title: str,
    class_names: Sequence[str],
    retrain: Record,
    folder: RunFolder,
) -> Finding | None:
    """Read what a row's seeds have left; `None` where predictions are missing or damaged."""
    seeds = result.seeds
    try:
        kept = [
            read_predictions(retraining_place(folder.place, row.trial_number, seed))
            for seed in seeds
        ]
    except DamagedFileError:  # `keep_comparisons` has said so
        return None
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
        class_names=class_names,
        predictions=predictions,
        curves=curves,
        best=best,
        embeddings=embeddings,
        projections=project(embeddings, predictions[best]) if embeddings else [],
    )


def mistakes(predictions: Predictions) -> list[Mistake]:
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
        for place in wrong[np.argsort(-sure_N, kind="stable")][:MOST_MISTAKES]
    ]
