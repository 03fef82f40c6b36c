"""Say what each test example is worth to a metric, by leaving it out.

An accuracy is the mean of answers that are right or wrong, and a log loss is a mean too. Other
metrics are no means: each example is given a value such that the metric is the mean of the values
and varies as they do. The value is the jackknife's, the metric plus N - 1 times what the metric
loses without the example (Tukey 1958; Efron and Stein, "The Jackknife Estimate of Variance", 1981),
shifted so that the mean is the metric itself. These metrics are smooth in the examples, where the
jackknife's variance is the bootstrap's but for terms of the order of 1 / N; its values can be
paired and crossed with seeds as answers are. Those of AUROC are the components of DeLong et al.,
"Comparing the Areas under Two or More Correlated Receiver Operating Characteristic Curves" (1988).
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from trainables.training.scores import (
    LEAST_PROBABILITY,
    Counts,
    Floats,
    Integers,
    areas_under_roc,
    count_answers,
    f1,
    ranks,
    recall,
)
from trainables.trials.predictions import Predictions
from tune_jobs.engine.results.statistics.variance import Outcomes


def value_examples(metric: str, seeds: Sequence[Predictions]) -> Outcomes:
    """Return what each example is worth to a metric, by the predictions of each seed.

    Args:
        metric: The name of a metric that the test split has.
        seeds: Predictions of the same examples, at least two, of at least two classes for AUROC.
    """
    method = METHODS[metric]
    share = method.share(seeds[0].labels_N)
    values_SN = np.stack([method.value(predictions) for predictions in seeds])
    return Outcomes(values_SN, share, step=share if share and method.counts_answers else 0.0)


def _losses(predictions: Predictions) -> Floats:
    labels_N = predictions.labels_N
    chosen_N = predictions.probabilities_NK[np.arange(len(labels_N)), labels_N]
    losses_N: Floats = -np.log(np.maximum(chosen_N.astype(np.float64), LEAST_PROBABILITY))
    return losses_N


def _answers(predictions: Predictions) -> npt.NDArray[np.bool_]:
    return predictions.correct_N


def _recalls(predictions: Predictions) -> Floats:
    return _value_by_counts(predictions, recall)


def _f1s(predictions: Predictions) -> Floats:
    return _value_by_counts(predictions, f1)


def _value_by_counts(predictions: Predictions, figure: Callable[[Counts], Floats]) -> Floats:
    """Value the examples for the mean over the classes of a figure of their counts.

    Without an example the figure of its label is another one, and that of a wrong answer to it.
    """
    labels_N, answers_N = predictions.labels_N, predictions.predicted_N
    right_N = predictions.correct_N
    counts = count_answers(labels_N, answers_N, predictions.probabilities_NK.shape[1])
    figures_K, mean = figure(counts), _ClassMean(figure(counts), len(labels_N))
    label_N = Counts(
        counts.hits_K[labels_N] - right_N,
        counts.labels_K[labels_N] - 1,
        counts.answers_K[labels_N] - right_N,
    )
    mean.replace(figures_K[labels_N], figure(label_N))
    answer_N = Counts(
        counts.hits_K[answers_N], counts.labels_K[answers_N], counts.answers_K[answers_N] - 1
    )
    before_N = figures_K[answers_N]
    mean.replace(before_N, np.where(right_N, before_N, figure(answer_N)))
    return mean.values()


def _areas(predictions: Predictions) -> Floats:
    """Value the examples for AUROC: what an area loses without an example is the share of the
    other side that the example is ranked rightly against, as it differs from the area."""
    probabilities_NK = predictions.probabilities_NK.astype(np.float32)
    areas_K = areas_under_roc(probabilities_NK, predictions.labels_N)
    mean = _ClassMean(areas_K, len(probabilities_NK))
    for k in np.flatnonzero(~np.isnan(areas_K)):
        column_N, is_own_N = probabilities_NK[:, k], predictions.labels_N == k
        own, others = np.sort(column_N[is_own_N]), np.sort(column_N[~is_own_N])
        rightly_N = np.empty(len(column_N))
        rightly_N[is_own_N] = ranks(others, column_N[is_own_N]) / len(others)
        rightly_N[~is_own_N] = 1 - ranks(own, column_N[~is_own_N]) / len(own)
        side_N = np.where(is_own_N, len(own), len(others))
        without_N = np.full(len(column_N), np.nan)
        np.divide(side_N * areas_K[k] - rightly_N, side_N - 1, out=without_N, where=side_N > 1)
        mean.replace(np.full(len(column_N), areas_K[k]), without_N)
    return mean.values()


class _ClassMean:
    """Holds a mean over the classes as it is without each of N examples.

    Args:
        figures_K: The classes' figures with all examples; NaN: the class has none.
    """

    def __init__(self, figures_K: Floats, num_examples: int) -> None:
        self._all = float(np.nanmean(figures_K))
        self._sums_N = np.full(num_examples, np.nansum(figures_K))
        self._numbers_N = np.full(num_examples, np.count_nonzero(~np.isnan(figures_K)))

    def replace(self, before_N: Floats, after_N: Floats) -> None:
        """Take other figures of a class, one for each example that is left out."""
        self._sums_N += np.nan_to_num(after_N) - np.nan_to_num(before_N)
        self._numbers_N += np.isnan(before_N).astype(np.int64) - np.isnan(after_N)

    def values(self) -> Floats:
        """Return the jackknife's values, shifted to have the metric as their mean."""
        without_N = np.full(len(self._sums_N), self._all)
        np.divide(self._sums_N, self._numbers_N, out=without_N, where=self._numbers_N > 0)
        lost_N = self._all - without_N
        values_N: Floats = self._all + (len(lost_N) - 1) * (lost_N - lost_N.mean())
        return values_N


def _even_share(labels_N: Integers) -> float:
    return 1 / len(labels_N)


def _no_share(_: Integers) -> None: ...


def _share_of_its_class(labels_N: Integers) -> float:
    """An example is one of the rarest class, whose figure is one of K."""
    sizes = _sizes(labels_N)
    return 1 / (len(sizes) * int(sizes.min()))


def _share_of_areas(labels_N: Integers) -> float:
    """An example is one of its class, and one of the others of every other class."""
    sizes = _sizes(labels_N)
    among_others = 1 / (len(labels_N) - sizes)
    shares = (1 / sizes + among_others.sum() - among_others) / len(sizes)
    return float(shares.max())


def _sizes(labels_N: Integers) -> Integers:
    sizes = np.bincount(labels_N)
    return sizes[sizes > 0]


class Method(NamedTuple):
    """Says how a metric is made of examples.

    Attributes:
        value: Returns what each example is worth.
        share: Returns the most of the metric that rests on one example; `None`: it has no bounds.
        counts_answers: Whether it is made of answers, right or wrong, and not of probabilities.
    """

    value: Callable[[Predictions], Any]
    share: Callable[[Integers], float | None]
    counts_answers: bool


METHODS = {
    "accuracy": Method(_answers, _even_share, counts_answers=True),
    "balanced_accuracy": Method(_recalls, _share_of_its_class, counts_answers=True),
    "macro_f1": Method(_f1s, _share_of_its_class, counts_answers=True),
    "log_loss": Method(_losses, _no_share, counts_answers=False),
    "auroc": Method(_areas, _share_of_areas, counts_answers=False),
}
"""By the name of the metric."""
