"""Decide after a round of the retraining who goes on: pure functions of numbers, no files.

A round is one seed for each candidate that is still in the race. What is decided follows from the
scores of complete rounds alone, so a resumed run decides the same, in whatever order they came.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from statistics import fmean

import numpy as np

ALPHA = 0.05

LEAST_DEGREES = 2
"""With one degree of freedom, two candidates on two seeds, the difference may happen to be the same
twice where a metric counts images: equal candidates were told apart in 11 % of simulated races."""

Pair = tuple[int, int]
"""A candidate's number and a seed."""


def rank(numbers: Collection[int], scores: Mapping[int, Sequence[float]]) -> list[int]:
    """Sort candidates by mean score, best first; ties go to the lower number, and those without
    scores, of which a seed came to no end, are last."""

    def key(number: int) -> tuple[float, int]:
        return -fmean(scores[number]) if number in scores else math.inf, number

    return sorted(numbers, key=key)


def find_losers(scores: Mapping[int, Sequence[float]], num_looks: int) -> list[int]:
    """Return the candidates whose mean score is below the best one's by more than luck explains.

    Candidates and seeds are a two-way layout: what a seed does to all candidates cancels, and the
    residual variance is pooled over the candidates, which are taken to vary alike. Who leads is
    itself chosen by the scores, so the distance to the leader is compared with the studentized
    range, the distance of the best from the worst of equals (Tukey, "The Problem of Multiple
    Comparisons", 1953). That corrects for all pairs, and holds the probability that any candidate
    as good as the leader is ever dropped to `ALPHA`.

    One seed each says nothing of how seeds vary, and the number of validation images does not
    either: on 10,000 of them seeds vary more than images do. So nobody loses after one round.

    Args:
        scores: By candidate, its scores in order of the seeds, equally many; higher is better.
        num_looks: How often the race looks in all; `ALPHA` is divided by it (Bonferroni).
    """
    num_candidates = len(scores)
    num_seeds = min(map(len, scores.values()), default=0)
    degrees = (num_candidates - 1) * (num_seeds - 1)
    if degrees < LEAST_DEGREES:
        return []
    scores_CS = np.array(list(scores.values()))
    means_C1 = scores_CS.mean(axis=1, keepdims=True)
    residuals_CS = scores_CS - means_C1 - scores_CS.mean(axis=0) + scores_CS.mean()
    error = math.sqrt(float(np.square(residuals_CS).sum()) / degrees / num_seeds)
    largest = _critical_range(ALPHA / num_looks, num_candidates, degrees) * error
    behind_C = means_C1.max() - means_C1[:, 0]
    return [number for number, behind in zip(scores, behind_C, strict=True) if behind > largest]


@lru_cache
def _critical_range(alpha: float, num_candidates: int, degrees: int) -> float:
    """Return the studentized range that equals exceed with the probability `alpha`."""
    from scipy.stats import studentized_range  # takes a second, and few races come so far

    return float(studentized_range.isf(alpha, num_candidates, degrees))


def describe_loss(
    number: int, scores: Mapping[int, Sequence[float]], value_of: Callable[[float], float]
) -> str:
    """Say what a candidate has lost by.

    Args:
        value_of: Makes a value of the metric of a score.
    """
    leader = rank(scores, scores)[0]
    own, best = value_of(fmean(scores[number])), value_of(fmean(scores[leader]))
    means = f"{own:.4f} on validation against {best:.4f}"
    return f"lost to trial {leader}: {means}, over {len(scores[number])} seeds"


def afford(
    ranked: Sequence[int],
    seed: int,
    committed: Collection[Pair],
    fits: Callable[[Collection[Pair]], bool],
) -> list[int]:
    """Return the candidates that can be trained with a seed, the best served first.

    Args:
        ranked: The candidates, best first.
        committed: The pairs that are trained in any case; one that is among them is afforded.
        fits: Says whether the retraining may train these pairs in all.
    """
    paid, afforded = set(committed), []
    for number in ranked:
        if (number, seed) in paid or fits({*paid, (number, seed)}):
            paid.add((number, seed))
            afforded.append(number)
    return afforded
