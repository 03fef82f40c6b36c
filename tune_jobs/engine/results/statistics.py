"""Estimate how far test accuracies can be trusted, and which rows can be told apart.

A configuration is given as `correct_SN`: whether its retraining with seed s answers test example
n correctly (S seeds, N examples, bool). All configurations see the same N examples in the same
order; their seeds are independent and may differ in number.

Seeds and examples are crossed, so a mean accuracy varies for two reasons, which the two-way
analysis of variance separates (Searle, Casella and McCulloch, "Variance Components", 1992; for
machine learning: Bouthillier et al., "Accounting for Variance in Machine Learning Benchmarks",
2021):

- examples: the variance over N of the mean over seeds, divided by N;
- seeds: the variance over S of the accuracy, divided by S, less what the finite test set alone
  makes of it (the interaction), and never below zero.

Each part has its own quantile of Student's t, with N - 1 and S - 1 degrees of freedom, and the
half-width is the root of the sum of squares (Howe, "Approximate Confidence Limits on the Mean of
X + Y Where X and Y Are Two Tabled Independent Random Variables", 1974). Satterthwaite's common
degrees of freedom would be more powerful, but told equal configurations apart in up to 10 % of
boards with three seeds. Three seeds are also too few to bootstrap: their spread, resampled, is
too small by a fifth (the root of 2/3), and there are only ten different samples.

From one seed the variation between seeds cannot be seen. It is taken from the configurations on the
board that have several (pooled); where none has, what is said holds for the trained models, not for
their configurations. `benchmarks/statistics_power.py` has the coverage, the rate
of false separations and the power.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

MIN_P_VALUE = 1e-12
"""Smaller p-values are not computed."""

Correct = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """Holds a value and the ends of its confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Holds the accuracy of a less that of b, and the p-value of their being equal."""

    difference: Estimate
    p_value: float


class _Variance(NamedTuple):
    """Holds one part of the variance of a mean, and the degrees of freedom of its estimate."""

    value: float
    degrees: float


class _Configuration(NamedTuple):
    """Holds what the comparisons need of a configuration's `correct_SN`."""

    num_seeds: int
    accuracy: float
    accuracy_N: Floats  # mean over seeds
    seeds: _Variance


def accuracy_interval(
    correct_SN: Correct, confidence: float = 0.95, board: Sequence[Correct] = ()
) -> Estimate:
    """Return the mean accuracy and its interval, over other test examples and other seeds.

    The interval is Wilson's, for the number of examples that would vary as much in a simple random
    sample (Korn and Graubard, "Confidence Intervals for Proportions with Small Expected Number of
    Positive Counts Estimated from Survey Data", 1998; Franco et al., "Comparative Study of
    Confidence Intervals for Proportions in Complex Sample Surveys", 2019). It lies within [0, 1]
    and has a width also where every answer is correct, which then counts as N answers.

    Args:
        board: The configurations that say how seeds vary where `correct_SN` has a single one.

    Raises:
        ValueError: `correct_SN` has not two axes, or no seed, or fewer than two examples.
    """
    configuration = _summarise(correct_SN)
    accuracy = configuration.accuracy
    spread = accuracy * (1 - accuracy)
    examples = _variance_over_examples(configuration.accuracy_N)
    if not spread:
        examples = _Variance(1 / correct_SN.shape[1], examples.degrees)
    pooled = _pool_over_seeds(map(_summarise, board)) if configuration.num_seeds == 1 else None
    half_width = _half_width(1 - confidence, (examples, pooled or configuration.seeds))
    weight = half_width**2 / (spread or 1)
    centre = (accuracy + weight / 2) / (1 + weight)
    margin = math.sqrt(weight * spread + weight**2 / 4) / (1 + weight)
    return Estimate(accuracy, max(0.0, centre - margin), min(1.0, centre + margin))


def compare(correct_a_SN: Correct, correct_b_SN: Correct, confidence: float = 0.95) -> Comparison:
    """Compare two configurations on the same test examples.

    The examples enter by the paired difference of the means over seeds, so what is hard for both
    cancels; the seeds by both variances, as in Welch's test (1947). A configuration with a single
    seed is taken to vary between seeds as the other does. Half an example is added on either side,
    so that the interval has a width where all answers agree (Agresti and Min, "Simple Improved
    Confidence Intervals for Comparing Matched Proportions", 2005).

    The p-value is the one at which the interval would end at zero. With one seed each it is that
    of McNemar's exact test instead (1947), which may disagree with the interval at the margin.

    Raises:
        ValueError: The numbers of examples differ, or as in `accuracy_interval`.
    """
    a, b = _summarise(correct_a_SN), _summarise(correct_b_SN)
    return _compare(a, b, _pool_over_seeds((a, b)), confidence)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values, in the order given: all those below alpha may be believed together.

    The method is Holm's, "A Simple Sequentially Rejective Multiple Test Procedure" (1979), which
    holds under any dependence.
    """
    order = np.argsort(p_values)
    adjusted = np.empty(len(p_values))
    factors = len(p_values) - np.arange(len(p_values))
    stepped = np.maximum.accumulate(factors * np.asarray(p_values, dtype=np.float64)[order])
    adjusted[order] = np.minimum(stepped, 1)
    return [float(p) for p in adjusted]


def tie_groups(correct: Sequence[Correct], alpha: float = 0.05) -> list[int]:
    """Return the rank of each configuration, from 1; those that share it cannot be told apart.

    The first leads group 1, which takes in all that cannot be told apart from it. The first that
    can leads the next group, of those that remain, and so on. Therefore a row may be in a higher
    group than one above it, when it varies more.

    Who leads is itself chosen by the accuracies, and the best of equals stands out by luck: were
    only the pairs with a leader counted, ten equal configurations would be told apart on 15 % of
    boards. Holm's correction therefore counts all pairs; then it is 4 % or less, except with two
    seeds, which are too few (up to 15 % where seeds vary more than examples).

    Args:
        correct: One `correct_SN` per configuration, by mean accuracy, best first.
        alpha: The probability of any false separation.
    """
    configurations = [_summarise(correct_SN) for correct_SN in correct]
    pairs = list(combinations(range(len(correct)), 2))
    pooled = _pool_over_seeds(configurations)
    p_values = [_compare(configurations[a], configurations[b], pooled).p_value for a, b in pairs]
    adjusted = dict(zip(pairs, holm(p_values), strict=True))
    groups = [0] * len(correct)
    while 0 in groups:
        leader, group = groups.index(0), max(groups) + 1
        groups[leader] = group
        for row in range(leader + 1, len(correct)):
            if not groups[row] and adjusted[leader, row] >= alpha:
                groups[row] = group
    return groups


def _summarise(correct_SN: Correct) -> _Configuration:
    if correct_SN.ndim != 2 or correct_SN.shape[0] < 1 or correct_SN.shape[1] < 2:
        raise ValueError(
            f"correct_SN has the shape {correct_SN.shape}, but must have "
            "at least one seed and at least two examples"
        )
    accuracy_S = correct_SN.mean(axis=1)
    accuracy_N = correct_SN.mean(axis=0)
    seeds = _variance_over_seeds(accuracy_S, accuracy_N)
    return _Configuration(len(accuracy_S), float(accuracy_S.mean()), accuracy_N, seeds)


def _variance_over_examples(values_N: Floats, squares_added: float = 0.0) -> _Variance:
    """Estimate the part of the variance of the mean of `values_N` that other examples cause."""
    squares = float(np.square(values_N - values_N.mean()).sum()) + squares_added
    degrees = len(values_N) - 1
    return _Variance(squares / degrees / len(values_N), degrees)


def _variance_over_seeds(accuracy_S: Floats, accuracy_N: Floats) -> _Variance:
    """Estimate the part of the variance of the mean accuracy that other seeds would cause."""
    S, N = len(accuracy_S), len(accuracy_N)
    if S == 1:
        return _Variance(0.0, math.inf)
    accuracy = accuracy_S.mean()
    squares_S = N * np.square(accuracy_S - accuracy).sum()
    squares_N = S * np.square(accuracy_N - accuracy).sum()
    squares_SN = S * N * accuracy * (1 - accuracy) - squares_S - squares_N
    interaction = squares_SN / ((S - 1) * (N - 1))
    return _Variance(max(0.0, float(squares_S / (S - 1) - interaction) / (S * N)), S - 1)


def _pool_over_seeds(configurations: Iterable[_Configuration]) -> _Variance | None:
    """Estimate the variance over seeds of a single seed's accuracy from all configurations that
    have several, by their degrees of freedom; `None`: none has, or no variance is seen."""
    several = [c for c in configurations if c.num_seeds > 1]
    degrees = sum(c.seeds.degrees for c in several)
    squares = sum(c.seeds.degrees * c.num_seeds * c.seeds.value for c in several)
    return _Variance(squares / degrees, degrees) if squares else None


def _welch(a: _Variance, b: _Variance) -> _Variance:
    """Add the two, with the degrees of freedom of Welch and Satterthwaite."""
    total = a.value + b.value
    squares = a.value**2 / a.degrees + b.value**2 / b.degrees
    return _Variance(total, total**2 / squares if squares else math.inf)


def _half_width(alpha: float, parts: Sequence[_Variance]) -> float:
    """Return half the width of the interval whose confidence is 1 - alpha, by Howe's method."""
    found = [part for part in parts if part.value]
    return math.hypot(
        *(special.stdtrit(part.degrees, alpha / 2) * math.sqrt(part.value) for part in found)
    )


def _compare(
    a: _Configuration,
    b: _Configuration,
    pooled: _Variance | None,
    confidence: float = 0.95,
) -> Comparison:
    if len(a.accuracy_N) != len(b.accuracy_N):
        raise ValueError(
            f"the configurations have {len(a.accuracy_N)} and {len(b.accuracy_N)} examples, "
            "but must have the same"
        )
    differences_N = a.accuracy_N - b.accuracy_N
    parts = (
        _variance_over_examples(differences_N, squares_added=1.0),
        _seeds_of_both(a, b, pooled),
    )
    difference = a.accuracy - b.accuracy
    margin = _half_width(1 - confidence, parts)
    estimate = Estimate(difference, max(-1.0, difference - margin), min(1.0, difference + margin))
    one_seed_each = a.num_seeds == b.num_seeds == 1
    models_alone = one_seed_each and pooled is None
    p_value = _mcnemar(differences_N) if models_alone else _invert(abs(difference), parts)
    return Comparison(estimate, p_value)


def _seeds_of_both(a: _Configuration, b: _Configuration, pooled: _Variance | None) -> _Variance:
    """Add the variances over seeds; a single seed is taken to vary as those of the board do."""
    if pooled is None or min(a.num_seeds, b.num_seeds) > 1:
        return _welch(a.seeds, b.seeds)
    parts = [(pooled if c.num_seeds == 1 else c.seeds).value for c in (a, b)]
    return _Variance(sum(parts), pooled.degrees)


def _invert(difference: float, parts: Sequence[_Variance]) -> float:
    """Find the alpha at which the half-width equals the difference."""

    def excess(log_alpha: float) -> float:
        return _half_width(math.exp(log_alpha), parts) - difference

    least = math.log(MIN_P_VALUE)
    if excess(least) <= 0:
        return MIN_P_VALUE
    return math.exp(optimize.brentq(excess, least, 0.0))


def _mcnemar(differences_N: Floats) -> float:
    """Return the p-value of McNemar's exact test, of the examples that one alone answers."""
    num_better, num_worse = int((differences_N > 0).sum()), int((differences_N < 0).sum())
    fewer = min(num_better, num_worse)
    return min(1.0, 2 * float(special.bdtr(fewer, num_better + num_worse, 0.5)))
