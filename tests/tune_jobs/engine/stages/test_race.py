"""Who goes on after a round, by numbers alone."""

from collections.abc import Callable, Collection

import numpy as np
import pytest

from tune_jobs.engine.stages.race import ALPHA, Pair, afford, find_losers, rank

NUM_RACES = 2000


def count_lost_races(
    num_candidates: int, num_seeds: int, images: int | None, ahead: float = 0.0
) -> int:
    """Count simulated races in which a candidate is dropped at any look.

    Args:
        images: Scores are fractions of so many images; `None`: they are not rounded.
        ahead: How far the first candidate is better than the others, which are equal.
    """
    generator = np.random.default_rng(0)
    shape = NUM_RACES, num_candidates, num_seeds
    seeds_S = generator.normal(0, 0.01, (NUM_RACES, 1, num_seeds))
    scores_CS = 0.95 + seeds_S + generator.normal(0, 0.004, shape)
    scores_CS[:, 0] += ahead
    if images:
        scores_CS = np.round(scores_CS * images) / images
    looks = range(2, num_seeds)
    return sum(
        any(find_losers(dict(enumerate(race_CS[:, :seeds])), len(looks)) for seeds in looks)
        for race_CS in scores_CS
    )


@pytest.mark.parametrize("images", [None, 288, 50])
@pytest.mark.parametrize(("num_candidates", "num_seeds"), [(2, 3), (3, 3), (4, 3), (8, 3), (4, 6)])
def test_equals_of_the_leader_are_hardly_ever_dropped(
    num_candidates: int, num_seeds: int, images: int | None
) -> None:
    standard_error = (ALPHA * (1 - ALPHA) / NUM_RACES) ** 0.5
    dropped = count_lost_races(num_candidates, num_seeds, images) / NUM_RACES
    assert dropped <= ALPHA + 3 * standard_error


def test_those_far_behind_are_dropped() -> None:
    """By 16 times what a seed makes of a candidate alone."""
    assert count_lost_races(4, 3, None, ahead=0.064) >= 0.9 * NUM_RACES


def test_what_a_seed_does_to_all_candidates_cancels() -> None:
    scores = {7: [0.90, 0.80, 0.70], 2: [0.95, 0.85, 0.751], 5: [0.951, 0.85, 0.75]}
    assert find_losers(scores, num_looks=1) == [7]


def test_nobody_loses_where_nothing_says_how_seeds_vary() -> None:
    assert find_losers({}, 1) == []
    assert find_losers({1: [0.9], 2: [0.1], 3: [0.1]}, 1) == []
    assert find_losers({1: [0.9, 0.9], 2: [0.1, 0.1]}, 1) == []


def test_candidates_without_scores_are_last_and_equals_by_number() -> None:
    assert rank([4, 3, 2, 1], {1: [0.8, 0.8], 4: [0.9, 0.7], 3: [0.9, 0.9]}) == [3, 1, 4, 2]


def test_the_best_are_afforded_first() -> None:
    def at_most(num_pairs: int) -> Callable[[Collection[Pair]], bool]:
        return lambda pairs: len(pairs) <= num_pairs

    committed = {(0, 1), (0, 2), (5, 1), (5, 2)}
    assert afford([5, 7, 8], 2, committed, at_most(5)) == [5, 7]
    assert afford([8, 7, 5], 2, committed, at_most(5)) == [8, 5], (
        "what is committed is afforded anyway"
    )
    assert afford([5, 7, 8], 2, committed, at_most(3)) == [5]
