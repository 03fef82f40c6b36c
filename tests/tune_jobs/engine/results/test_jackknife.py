"""What examples are worth to metrics: against leaving them out one by one, and the bootstrap."""

from dataclasses import asdict, replace

import numpy as np
import numpy.typing as npt
import pytest
from scipy import special

from benchmarks.metric_intervals import Setting, draw, evaluation_of, measure
from trainables.metrics import METRICS
from trainables.trials.predictions import Predictions
from tune_jobs.engine.results.statistics.intervals import compare, interval
from tune_jobs.engine.results.statistics.jackknife import METHODS, value_examples
from tune_jobs.engine.results.statistics.variance import variance_over_examples

UNEQUAL = (0.6, 0.25, 0.15)
ANY_METRIC = pytest.mark.parametrize("metric", METHODS)


def predict(num_examples: int, quality: float = 1.0, *, seed: int = 0) -> Predictions:
    setting = Setting(quality, UNEQUAL, num_examples)
    [[predictions]] = draw(setting, [1], np.random.default_rng(seed))
    return predictions


def reached(metric: str, predictions: Predictions) -> float:
    value: float = asdict(evaluation_of(predictions))[METRICS[metric].figure or ""]
    return value


def choose(predictions: Predictions, chosen: npt.NDArray[np.int64]) -> Predictions:
    return replace(
        predictions,
        indices_N=predictions.indices_N[chosen],
        labels_N=predictions.labels_N[chosen],
        predicted_N=predictions.predicted_N[chosen],
        probabilities_NK=predictions.probabilities_NK[chosen],
    )


def test_every_metric_that_the_test_split_has_can_be_compared() -> None:
    assert set(METHODS) == {name for name, metric in METRICS.items() if metric.figure}


@ANY_METRIC
def test_the_mean_of_the_values_is_the_metric(metric: str) -> None:
    seeds = [predict(500, seed=seed) for seed in range(3)]
    seeds = [replace(found, labels_N=seeds[0].labels_N) for found in seeds]
    outcomes = value_examples(metric, seeds)
    expected = [reached(metric, found) for found in seeds]
    assert outcomes.values_SN.mean(axis=1) == pytest.approx(expected, rel=1e-6)


@ANY_METRIC
@pytest.mark.parametrize("lonely", [False, True])
def test_a_value_is_what_the_metric_loses_without_the_example(metric: str, lonely: bool) -> None:
    """A class may have a single image, which takes the class with it."""
    predictions = predict(40)
    if lonely:
        labels_N = np.where(np.arange(40) == 7, 2, predictions.labels_N % 2)
        predictions = replace(predictions, labels_N=labels_N)
    everything = np.arange(40)
    without = [reached(metric, choose(predictions, np.delete(everything, n))) for n in everything]
    lost_N = reached(metric, predictions) - np.array(without)
    expected_N = reached(metric, predictions) + 39 * (lost_N - lost_N.mean())
    [values_N] = value_examples(metric, [predictions]).values_SN
    assert values_N.astype(float) == pytest.approx(expected_N, rel=1e-5, abs=1e-5)


@ANY_METRIC
def test_the_values_vary_as_the_bootstrap_does(metric: str) -> None:
    predictions, generator = predict(600), np.random.default_rng(1)
    again = [
        reached(metric, choose(predictions, generator.integers(0, 600, 600))) for _ in range(400)
    ]
    [values_N] = value_examples(metric, [predictions]).values_SN
    found = variance_over_examples(values_N.astype(float)).value
    assert np.sqrt(found) == pytest.approx(np.std(again), rel=0.12)  # three standard errors


@ANY_METRIC
def test_no_example_is_worth_more_than_the_share(metric: str) -> None:
    predictions = predict(60)
    outcomes = value_examples(metric, [predictions])
    if outcomes.share is None:
        assert metric == "log_loss"
        return
    changed = replace(predictions, predicted_N=predictions.labels_N.copy())
    one_hot_NK = np.eye(3, dtype=np.float32)[predictions.labels_N]
    changed = replace(changed, probabilities_NK=one_hot_NK)
    assert reached(metric, changed) == 1
    rarest = int(np.flatnonzero(predictions.labels_N == 2)[0])
    changed.predicted_N[rarest] = 0
    changed.probabilities_NK[rarest] = (1, 0, 0)
    assert 0 < 1 - reached(metric, changed) <= 2.5 * outcomes.share


@ANY_METRIC
@pytest.mark.parametrize("seeds", [1, 3])
def test_equal_predictions_are_equal(metric: str, seeds: int) -> None:
    outcomes = value_examples(metric, [predict(100)] * seeds)
    compared = compare(outcomes, outcomes)
    assert compared.p_value == pytest.approx(1)
    assert compared.difference.low <= compared.difference.value == 0


@ANY_METRIC
def test_perfect_predictions_leave_room_for_error(metric: str) -> None:
    predictions = predict(200)
    perfect = replace(
        predictions,
        predicted_N=predictions.labels_N,
        probabilities_NK=np.eye(3, dtype=np.float32)[predictions.labels_N],
    )
    outcomes = value_examples(metric, [perfect] * 3)
    found = interval(outcomes)
    if outcomes.share is None:
        assert found.value == found.low == found.high == 0
    else:
        assert found.value == found.high == 1
        assert 0.5 < found.low < 1 - 3 * outcomes.share


def test_the_interval_of_an_auroc_is_symmetric_on_the_scale_of_its_logit() -> None:
    """It is wider below where the metric is nearly perfect, and within [0, 1]."""
    found = interval(value_examples("auroc", [predict(200, quality=2.0)]))
    assert 0.9 < found.value < found.high < 1
    assert found.value - found.low > found.high - found.value > 0
    low, value, high = special.logit([found.low, found.value, found.high])
    assert value - low == pytest.approx(high - value)


@pytest.mark.parametrize(
    ("setting", "seeds"),
    [
        (Setting(2.0, UNEQUAL, 600), 1),
        (Setting(2.0, UNEQUAL, 600, seed_std=0.1), 3),
    ],
)
def test_intervals_hold_the_truth_and_equals_are_not_told_apart(
    setting: Setting, seeds: int
) -> None:
    found = measure(setting, seeds, 300, np.random.default_rng(2))
    for metric, (held, apart) in found.items():
        assert held >= 0.91, metric  # 0.95 less three standard errors of this simulation
        assert apart <= 0.09, metric


@ANY_METRIC
def test_a_better_configuration_is_told_apart(metric: str) -> None:
    generator = np.random.default_rng(3)
    [worse] = draw(Setting(1.0, UNEQUAL, 2000), [3], generator)
    [better] = draw(Setting(1.3, UNEQUAL, 2000), [3], generator)
    compared = compare(value_examples(metric, better), value_examples(metric, worse))
    assert compared.p_value < 0.01
    score = METRICS[metric].score
    assert score(compared.difference.value) > 0
