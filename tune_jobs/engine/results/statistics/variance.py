"""Take the variance of a metric apart: what other examples change in it, and what other seeds.

A configuration is given as `Outcomes`: what test example n is worth to the metric of its retraining
with seed s (S seeds, N examples). All configurations see the same N examples in the same order;
their seeds are independent and may differ in number.

Seeds and examples are crossed, so a mean over seeds varies for two reasons, which the two-way
analysis of variance separates (Searle, Casella and McCulloch, "Variance Components", 1992; for
machine learning: Bouthillier et al., "Accounting for Variance in Machine Learning Benchmarks",
2021):

- examples: the variance over N of the mean over seeds, divided by N;
- seeds: the variance over S of the metric, divided by S, less what the finite test set alone
  makes of it (the interaction), and never below zero.

Each part has its own quantile of Student's t, with N - 1 and S - 1 degrees of freedom, and the
half-width is the root of the sum of squares (Howe, "Approximate Confidence Limits on the Mean of
X + Y Where X and Y Are Two Tabled Independent Random Variables", 1974). Satterthwaite's common
degrees of freedom would be more powerful, but told equal configurations apart on about 15 % of
boards with three seeds, where this does on 9 % (`ranking.py`). Three seeds are also too few to
bootstrap: their spread, resampled, is too small by a fifth (the root of 2/3), and there are only
ten different samples.

From one seed the variation between seeds cannot be seen. It is taken from the configurations on the
board that have several (pooled); where none has, what is said holds for the trained models, not for
their configurations. `benchmarks/statistics_power.py` has the coverage, the rate
of false separations and the power.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

Correct = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """Holds what test examples are worth to a metric, by seed.

    Attributes:
        values_SN: Their mean over the examples is the metric of a seed. Booleans are answers, right
            or wrong, and the metric is the accuracy.
        share: The most of the metric, in [0, 1], that rests on one example: 1 / N of an accuracy.
            `None`: the metric has no such bounds.
        step: How far one answer that is counted moves the metric; 0: answers are not counted, but
            probabilities weighed.
    """

    values_SN: Correct | Floats
    share: float | None
    step: float

    @classmethod
    def of_answers(cls, correct_SN: Correct) -> "Outcomes":
        """Return the outcomes whose metric is the accuracy."""
        share = 1 / max(1, correct_SN.shape[-1])
        return cls(correct_SN, share, step=share)

    @property
    def mean(self) -> float:
        """Return the metric, averaged over the seeds."""
        return float(self.values_SN.mean(axis=1).mean())


class Variance(NamedTuple):
    """Holds one part of the variance of a mean, and the degrees of freedom of its estimate."""

    value: float
    degrees: float


class Summary(NamedTuple):
    """Holds what the comparisons need of a configuration's `Outcomes`."""

    num_seeds: int
    metric: float
    value_N: Floats  # mean over seeds
    seeds: Variance
    share: float | None
    step: float
    are_answers: bool


def summarise(outcomes: Outcomes) -> Summary:
    """Work out what comparisons need.

    Raises:
        ValueError: The values have not two axes, or no seed, or fewer than two examples.
    """
    values_SN = outcomes.values_SN
    if values_SN.ndim != 2 or values_SN.shape[0] < 1 or values_SN.shape[1] < 2:
        raise ValueError(
            f"values_SN has the shape {values_SN.shape}, but must have "
            "at least one seed and at least two examples"
        )
    return Summary(
        num_seeds=len(values_SN),
        metric=outcomes.mean,
        value_N=values_SN.mean(axis=0),
        seeds=_variance_over_seeds(values_SN),
        share=outcomes.share,
        step=outcomes.step,
        are_answers=values_SN.dtype == np.bool_,
    )


def variance_over_examples(
    values_N: Floats, squares_added: float = 0.0, *, are_answers: bool = True
) -> Variance:
    """Estimate the part of the variance of the mean of `values_N` that other examples cause.

    Where a few examples of a rare class are worth much more than the others, the estimate rests on
    these few. Unless the values are answers, its degrees of freedom are therefore those of a
    variance whose values have this kurtosis (O'Neill, "Some Useful Moment Results in Sampling
    Problems", 2014).
    """
    N = len(values_N)
    squares_N = np.square(values_N - values_N.mean())
    squares, degrees = float(squares_N.sum()), N - 1.0
    if squares and not are_answers:
        kurtosis = N * float(np.square(squares_N).sum()) / squares**2
        degrees = min(degrees, 2 * N / (kurtosis - (N - 3) / (N - 1)))
    return Variance((squares + squares_added) / (N - 1) / N, degrees)


def _variance_over_seeds(values_SN: Correct | Floats) -> Variance:
    """Estimate the part of the variance of the mean metric that other seeds would cause."""
    S, N = values_SN.shape
    if S == 1:
        return Variance(0.0, math.inf)
    metric_S = values_SN.mean(axis=1)
    mean = metric_S.mean()
    squares_S = N * np.square(metric_S - mean).sum()
    squares_N = S * np.square(values_SN.mean(axis=0) - mean).sum()
    squares_SN = np.square(values_SN - mean).sum() - squares_S - squares_N
    interaction = squares_SN / ((S - 1) * (N - 1))
    return Variance(max(0.0, float(squares_S / (S - 1) - interaction) / (S * N)), S - 1)


def pool_over_seeds(configurations: Iterable[Summary]) -> Variance | None:
    """Estimate the variance over seeds of a single seed's metric from all configurations that
    have several, by their degrees of freedom; `None`: none has, or no variance is seen."""
    several = [c for c in configurations if c.num_seeds > 1]
    degrees = sum(c.seeds.degrees for c in several)
    squares = sum(c.seeds.degrees * c.num_seeds * c.seeds.value for c in several)
    return Variance(squares / degrees, degrees) if squares else None


def _welch(a: Variance, b: Variance) -> Variance:
    """Add the two, with the degrees of freedom of Welch and Satterthwaite."""
    total = a.value + b.value
    squares = a.value**2 / a.degrees + b.value**2 / b.degrees
    return Variance(total, total**2 / squares if squares else math.inf)


def half_width(alpha: float, parts: Sequence[Variance]) -> float:
    """Return half the width of the interval whose confidence is 1 - alpha, by Howe's method."""
    found = [part for part in parts if part.value]
    return math.hypot(
        *(special.stdtrit(part.degrees, alpha / 2) * math.sqrt(part.value) for part in found)
    )


def add_seeds(a: Summary, b: Summary, pooled: Variance | None) -> Variance:
    """Add the variances over seeds; a single seed is taken to vary as those of the board do."""
    if pooled is None or min(a.num_seeds, b.num_seeds) > 1:
        return _welch(a.seeds, b.seeds)
    parts = [(pooled if c.num_seeds == 1 else c.seeds).value for c in (a, b)]
    return Variance(sum(parts), pooled.degrees)
