"""Choose an ensemble among all retrained models, by what they predict of the validation split.

The selection is that of Caruana et al., "Ensemble Selection from Libraries of Models" (ICML 2004):
it begins with the best model, and adds the one that makes the mean of all probabilities best, which
may be one that it has already. Of the ensembles that it comes by the best is taken.

A small validation split cannot tell good models apart: what it chooses in detail, chance chooses.
So of models that make the metric equal the one that was taken least often is next, those last that
validation tells apart from the best; and of ensembles that are equal the largest is best.
`benchmarks/ensembles.py` compares this with other rules.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from trainables.metrics import Cost, EpochMetrics, HeldOutMetrics, Metric
from trainables.storage import Storage
from trainables.training.scores import Evaluation, Floats, evaluate
from trainables.trials.predictions import (
    VALIDATION,
    DamagedFileError,
    Predictions,
    read_predictions,
)
from tune_jobs.engine.results.row import Member
from tune_jobs.engine.results.statistics.intervals import compare
from tune_jobs.engine.results.statistics.jackknife import value_examples
from tune_jobs.engine.run_state.folder import retraining_place
from tune_jobs.engine.stages.candidates import Retrained

MAX_PICKS = 25

ALPHA = 0.05

DIGITS = 9
"""Metrics are compared to so many digits."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Model:
    """Holds a retrained model's results, and its predictions of validation and test."""

    trial_number: int
    seed: int
    metrics: EpochMetrics
    seconds: float
    validation: Predictions
    test: Predictions


@dataclass(frozen=True, kw_only=True, slots=True)
class Ensemble:
    """Holds what an ensemble is made of, and its results as if it were one model.

    Attributes:
        seconds: The training time of all its members.
    """

    members: tuple[Member, ...]
    metrics: EpochMetrics
    seconds: float


def read_models(run: Storage, results: Sequence[Retrained]) -> list[Model] | None:
    """Read the predictions of all retrained models; return `None` where some are damaged or missing
    (an earlier version kept none of validation): an ensemble is chosen among all, or not at all.
    Return none of those that were validated on folds of their own, by their seed, or on a single
    image: nothing chooses between models that predict other images, or hardly any.

    Raises:
        OSError: The place cannot be read (`StorageError` from an object store).
    """
    models = []
    # In this order, in whatever one they came to be retrained: of equal models the first is taken.
    for result in sorted(results, key=lambda result: result.candidate.trial_number):
        number = result.candidate.trial_number
        trained = zip(result.seeds, result.metrics, result.seconds, strict=True)
        for seed, metrics, seconds in trained:
            place = retraining_place(run, number, seed)
            try:
                validation, test = read_predictions(place, VALIDATION), read_predictions(place)
            except DamagedFileError:
                return None
            if validation is None or test is None:
                return None
            models.append(
                Model(
                    trial_number=number,
                    seed=seed,
                    metrics=metrics,
                    seconds=seconds,
                    validation=validation,
                    test=test,
                )
            )
    indices = [model.validation.indices_N for model in models]
    can_choose = all(len(own_N) > 1 and np.array_equal(own_N, indices[0]) for own_N in indices)
    return models if can_choose else []


def choose_ensemble(models: Sequence[Model], metric: Metric) -> Ensemble | None:
    """Choose among retrained models; return `None` where the best one alone is best.

    Models that predict the same are one: the seeds of what draws no numbers do.

    Args:
        metric: One that the test split has too.
    """
    models = _without_copies(models)
    weights = select([model.validation for model in models], metric)
    if len(weights) < 2:
        return None
    chosen = [models[position] for position in weights]
    shares = list(weights.values())
    members = tuple(
        Member(trial_number=model.trial_number, seed=model.seed, weight=weight)
        for model, weight in zip(chosen, shares, strict=True)
    )
    return Ensemble(
        members=members,
        metrics=_measure(chosen, shares),
        seconds=sum(model.seconds for model in chosen),
    )


def select(models: Sequence[Predictions], metric: Metric) -> Mapping[int, float]:
    """Choose models; return the weights of those that are in the ensemble, by position.

    Args:
        models: Predictions of the same examples.
    """
    is_worse = _told_apart(models, metric)
    picks: list[int] = []
    reached: list[float] = []
    total_NK: Floats | float = 0.0
    for _ in range(MAX_PICKS if models else 0):
        merits = []
        for position, model in enumerate(models):  # one at a time: probabilities may be many
            mean = _as_predictions(model, total_NK + model.probabilities_NK.astype(np.float64))
            taken = picks.count(position)
            merits.append((_score(mean, metric), not is_worse[position], -taken, -_loss(mean)))
        best = max(range(len(models)), key=merits.__getitem__)
        total_NK = total_NK + models[best].probabilities_NK.astype(np.float64)
        picks.append(best)
        reached.append(merits[best][0])
    best_number = max(range(len(picks)), key=lambda place: (reached[place], place), default=-1) + 1
    counts = Counter(picks[:best_number])
    return {position: counts[position] / best_number for position in sorted(counts)}


def average(models: Sequence[Predictions], weights: Sequence[float]) -> Predictions:
    """Return the predictions of an ensemble: the weighted mean of its members' probabilities."""
    shares = zip(models, weights, strict=True)
    total_NK = sum(weight * model.probabilities_NK.astype(np.float64) for model, weight in shares)
    return _as_predictions(models[0], np.asarray(total_NK))


def _as_predictions(like: Predictions, total_NK: Floats) -> Predictions:
    mean_NK = total_NK / total_NK.sum(axis=1, keepdims=True)
    return Predictions(
        indices_N=like.indices_N,
        labels_N=like.labels_N,
        predicted_N=mean_NK.argmax(axis=1),
        probabilities_NK=mean_NK.astype(np.float32),
        names=like.names,
    )


def _told_apart(models: Sequence[Predictions], metric: Metric) -> list[bool]:
    """Return which models the examples tell apart from the best one."""
    found = [value_examples(metric.name, [model]) for model in models]
    best = max(found, key=lambda outcomes: metric.score(outcomes.mean), default=None)
    return [best is not None and compare(best, each).p_value < ALPHA for each in found]


def _score(predictions: Predictions, metric: Metric) -> float:
    """Return the metric, the higher the better; equal values may differ by rounding before."""
    return round(metric.score(value_examples(metric.name, [predictions]).mean), DIGITS)


def _loss(predictions: Predictions) -> float:
    return value_examples("log_loss", [predictions]).mean


def _without_copies(models: Sequence[Model]) -> list[Model]:
    kept: list[Model] = []
    for model in models:
        own_NK = model.validation.probabilities_NK
        if not any(np.array_equal(own_NK, other.validation.probabilities_NK) for other in kept):
            kept.append(model)
    return kept


def _measure(members: Sequence[Model], weights: Sequence[float]) -> EpochMetrics:
    """Return the metrics of the ensemble, at the sum of its members' costs."""
    validation = _evaluate(average([model.validation for model in members], weights))
    test = _evaluate(average([model.test for model in members], weights))
    epochs = [model.metrics for model in members]
    return EpochMetrics(
        epoch=epochs[0].epoch,
        seconds=sum(epoch.seconds for epoch in epochs),
        num_parameters=_sum([epoch.num_parameters for epoch in epochs]),
        test=HeldOutMetrics(
            **asdict(test), cost=_add([e.test.cost for e in epochs if e.test and e.test.cost])
        ),
        **validation.on_validation(),
    )


def _evaluate(predictions: Predictions) -> Evaluation:
    return evaluate(
        predictions.probabilities_NK,
        predictions.labels_N,
        predictions.predicted_N,
        loss=_loss(predictions),
    )


def _add(costs: Sequence[Cost]) -> Cost | None:
    """Add up what predicting an image costs; memory is that of the largest, measured one by one.
    Features that took equally long are the same ones, which were computed once."""
    if not costs:
        return None
    features = {cost.features_seconds for cost in costs if cost.features_seconds is not None}
    return Cost(
        peak_host_bytes=max(cost.peak_host_bytes for cost in costs),
        throughput=1 / sum(1 / cost.throughput for cost in costs),
        latency_seconds=sum(cost.latency_seconds for cost in costs),
        peak_device_bytes=max(
            (cost.peak_device_bytes for cost in costs if cost.peak_device_bytes is not None),
            default=None,
        ),
        multiply_adds=_sum([cost.multiply_adds for cost in costs]),
        features_seconds=sum(features) if features else None,
    )


def _sum(counts: Sequence[int | None]) -> int | None:
    """Add up what all members have; `None` where one of them has none."""
    known = [count for count in counts if count is not None]
    return sum(known) if known and len(known) == len(counts) else None
