"""Train a configuration once per fold, an epoch of all of them after the other."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import fields
from statistics import fmean, stdev
from typing import Any

from trainables.metrics import EpochMetrics
from trainables.training.scores import Evaluation
from trainables.trials.attempt import Attempt
from trainables.trials.report import EpochReport, Resumption
from trainables.trials.trial import Trial

FIGURES = tuple(figure.name for figure in fields(Evaluation))
"""What is known of validation: the fields `val_*` of `EpochMetrics`."""


def train_folds(trials: Sequence[Trial], attempt: Attempt) -> Iterator[EpochReport]:
    """Train a trial per fold in step, and report the means over folds after each epoch.

    Each trial keeps its own checkpoints. One whose newest checkpoint is older than the others'
    catches up: all of them report the epochs that their checkpoints hold first.
    """
    trained = [trial.train(attempt.in_fold(number)) for number, trial in enumerate(trials)]
    for reports in zip(*trained, strict=False):  # one that has diverged has no further epoch
        metrics = average([report.metrics for report in reports])
        yield EpochReport(metrics=metrics, resumption=_join(reports))
        if metrics.diverged:
            return


def average(folds: Sequence[EpochMetrics]) -> EpochMetrics:
    """Average an epoch's metrics over folds; its seconds are the sum.

    The standard error is that of a mean of independent values. Folds share images to train on, so
    it is a lower bound (Bengio and Grandvalet, "No Unbiased Estimator of the Variance of K-Fold
    Cross-Validation", 2004).
    """
    first = folds[0]
    columns = {name: [getattr(fold, f"val_{name}") for fold in folds] for name in FIGURES}
    known = {name: values for name, values in columns.items() if None not in values}
    means: dict[str, Any] = {f"val_{name}": fmean(values) for name, values in known.items()}
    errors = {
        name: stdev(values) / math.sqrt(len(folds))
        for name, values in known.items()
        if all(map(math.isfinite, values))
    }
    parts = [fold.num_micro_batches for fold in folds if fold.num_micro_batches is not None]
    return EpochMetrics(
        epoch=first.epoch,
        seconds=sum(fold.seconds for fold in folds),
        **means,
        val_standard_errors=errors,
        train_loss=_mean([fold.train_loss for fold in folds]),
        train_accuracy=_mean([fold.train_accuracy for fold in folds]),
        lr=first.lr,
        num_micro_batches=max(parts, default=None),
        num_parameters=first.num_parameters,
        train_fraction=first.train_fraction,
        diverged=any(fold.diverged for fold in folds),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if len(known) == len(values) else None


def _join(reports: Sequence[EpochReport]) -> Resumption | None:
    """Say where the attempt resumed: at the first epoch that any of the folds trains anew."""
    if all(report.resumption is None for report in reports):
        return None
    found = [report.resumption or Resumption(epoch=0) for report in reports]
    return Resumption(
        epoch=min(resumption.epoch for resumption in found),
        corrupt=tuple(
            f"fold-{number}/{name}"
            for number, resumption in enumerate(found)
            for name in resumption.corrupt
        ),
    )
