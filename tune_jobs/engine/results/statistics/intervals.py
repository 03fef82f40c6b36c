"""Estimate a metric and the difference of two, and how far each can be trusted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import optimize, special

from tune_jobs.engine.results.statistics.variance import (
    Floats,
    Outcomes,
    Summary,
    Variance,
    add_seeds,
    half_width,
    pool_over_seeds,
    summarise,
    variance_over_examples,
)

CONFIDENCE = 0.95

MIN_P_VALUE = 1e-12
"""Smaller p-values are not computed."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Holds a value and the ends of its confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Holds the metric of a less that of b, and the p-value of their being equal."""

    difference: Estimate
    p_value: float


def interval(outcomes: Outcomes, board: Sequence[Outcomes] = ()) -> Estimate:
    """Return the mean metric and its interval, over other test examples and other seeds.

    The interval is Wilson's, for the number of examples that would vary as much in a simple random
    sample (Korn and Graubard, "Confidence Intervals for Proportions with Small Expected Number of
    Positive Counts Estimated from Survey Data", 1998; Franco et al., "Comparative Study of
    Confidence Intervals for Proportions in Complex Sample Surveys", 2019). It lies within [0, 1]
    and has a width also where every answer is correct, which then counts as 1 / share answers. Half
    an answer of the rarest class is added where classes are averaged: it may have none that is
    wrong. An AUROC's, which counts no answers, is symmetric on the scale of its logit (Pepe, "The
    Statistical Evaluation of Medical Tests for Classification and Prediction", 2003, section 5.2).
    A metric that has no bounds has a symmetric interval.

    Args:
        board: The configurations that say how seeds vary where `outcomes` has a single one.

    Raises:
        ValueError: The values have not two axes, or no seed, or fewer than two examples.
    """
    found = summarise(outcomes)
    metric, share = found.metric, found.share
    spread = metric * (1 - metric)
    one_answer = 0.0 if found.are_answers else (len(found.value_N) * found.step) ** 2
    examples = variance_over_examples(
        found.value_N, squares_added=one_answer / 2, are_answers=found.are_answers
    )
    if share is not None and not spread:
        examples = Variance(share, examples.degrees)
    pooled = pool_over_seeds(map(summarise, board)) if found.num_seeds == 1 else None
    half = half_width(1 - CONFIDENCE, (examples, pooled or found.seeds))
    if share is None:
        return Estimate(metric, metric - half, metric + half)
    if not found.step and spread:
        logit, half_logit = special.logit(metric), half / spread
        low, high = special.expit(logit - half_logit), special.expit(logit + half_logit)
        return Estimate(metric, float(low), float(high))
    weight = half**2 / (spread or 1)
    centre = (metric + weight / 2) / (1 + weight)
    margin = math.sqrt(weight * spread + weight**2 / 4) / (1 + weight)
    low, high = max(0.0, centre - margin), min(1.0, centre + margin)
    return Estimate(metric, min(low, metric), max(high, metric))  # at 0 and 1 by rounding alone


def compare(a: Outcomes, b: Outcomes, confidence: float = CONFIDENCE) -> Comparison:
    """Compare two configurations on the same test examples.

    The examples enter by the paired difference of the means over seeds, so what is hard for both
    cancels; the seeds by both variances, as in Welch's test (1947). A configuration with a single
    seed is taken to vary between seeds as the other does. Where answers are counted, half of one is
    added on either side, so that the interval has a width where all agree (Agresti and Min, "Simple
    Improved Confidence Intervals for Comparing Matched Proportions", 2005).

    The p-value is the one at which the interval would end at zero. Of answers with one seed each it
    is that of McNemar's exact test instead (1947), which may disagree with the interval at the
    margin.

    Raises:
        ValueError: The numbers of examples differ, or as in `interval`.
    """
    both = summarise(a), summarise(b)
    return compare_summaries(*both, pool_over_seeds(both), confidence)


def compare_summaries(
    a: Summary,
    b: Summary,
    pooled: Variance | None,
    confidence: float = CONFIDENCE,
) -> Comparison:
    """Compare two configurations, of which single seeds vary as `pooled` says."""
    num_examples = len(a.value_N)
    if num_examples != len(b.value_N):
        raise ValueError(
            f"the configurations have {num_examples} and {len(b.value_N)} examples, "
            "but must have the same"
        )
    differences_N = a.value_N - b.value_N
    most = math.inf if a.share is None else 1.0
    parts = (
        variance_over_examples(
            differences_N,
            squares_added=(num_examples * a.step) ** 2,
            are_answers=a.are_answers,
        ),
        add_seeds(a, b, pooled),
    )
    difference = a.metric - b.metric
    margin = half_width(1 - confidence, parts)
    estimate = Estimate(difference, max(-most, difference - margin), min(most, difference + margin))
    models_alone = a.num_seeds == b.num_seeds == 1 and pooled is None
    counted = models_alone and a.are_answers
    p_value = _mcnemar(differences_N) if counted else _invert(abs(difference), parts)
    return Comparison(estimate, p_value)


def _invert(difference: float, parts: Sequence[Variance]) -> float:
    """Find the alpha at which the half-width equals the difference."""
    if not difference:
        return 1.0  # also where losses agree everywhere, and nothing varies

    def excess(log_alpha: float) -> float:
        return half_width(math.exp(log_alpha), parts) - difference

    least = math.log(MIN_P_VALUE)
    if excess(least) <= 0:
        return MIN_P_VALUE
    return math.exp(optimize.brentq(excess, least, 0.0))


def _mcnemar(differences_N: Floats) -> float:
    """Return the p-value of McNemar's exact test, of the examples that one alone answers."""
    num_better, num_worse = int((differences_N > 0).sum()), int((differences_N < 0).sum())
    fewer = min(num_better, num_worse)
    return min(1.0, 2 * float(special.bdtr(fewer, num_better + num_worse, 0.5)))
