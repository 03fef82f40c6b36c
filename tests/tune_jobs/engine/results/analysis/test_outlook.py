"""What more proposals would bring, in records where it can be worked out by hand."""

import math

import numpy as np
import pytest
from optuna.trial import TrialState

from trainables.metrics import METRICS
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.results.analysis.outlook import (
    MOST_AHEAD,
    find_outlook,
    predict_gain,
    standard_error,
)

from .trials import record_of, trial_of


def test_the_best_rises_as_ranks_of_equals_say() -> None:
    gain = predict_gain([0.9, 0.8, 0.1], 20, 20, 0.0)
    assert gain
    assert gain.probability == 0.5
    assert gain.median == 0
    assert gain.high == pytest.approx(0.1 * math.log(4))
    further = predict_gain([0.9, 0.8, 0.1], 20, 60, 0.0)
    assert further
    assert further.probability == 0.75
    assert further.median == pytest.approx(0.1 * math.log(3))


def test_noise_counts_as_a_gap() -> None:
    gain = predict_gain([0.9, 0.88], 20, 20, 0.04)
    assert gain
    assert gain.high == pytest.approx(0.03 * math.log(4))
    assert predict_gain([0.9], 20, 20, 0.04)


@pytest.mark.parametrize(
    ("scores", "num", "noise"), [([], 20, 0.01), ([0.9], 20, 0.0), ([0.9, 0.8], 7, 0.01)]
)
def test_of_too_few_trials_nothing_is_told(scores: list[float], num: int, noise: float) -> None:
    assert predict_gain(scores, num, 5, noise) is None


def test_the_interval_holds_as_often_as_it_says_where_tails_are_exponential() -> None:
    random = np.random.default_rng(0)
    held, rose, count = 0, 0, 2000
    for scores in random.exponential(size=(count, 48)):
        gain = predict_gain([scores[:16].max()], 16, 32, 1.0)  # the true scale
        assert gain
        rise = max(0.0, scores[16:].max() - scores[:16].max())
        held += rise <= gain.high
        rose += rise > 0
    assert rose / count == pytest.approx(32 / 48, abs=0.03)
    assert held / count == pytest.approx(0.8, abs=0.03)


def search_of(num_trials: int, seconds: float) -> Record:
    full = [trial_of([0.9], TrialState.COMPLETE), trial_of([0.88], TrialState.COMPLETE)]
    return record_of([*full, *[trial_of([0.2])] * (num_trials - 2)], seconds)


def test_an_hour_is_as_many_proposals_as_the_pace_affords() -> None:
    outlook = find_outlook(search_of(20, seconds=2 * 3600), noise=0.02)
    assert outlook
    assert (outlook.num_proposals, outlook.seconds, outlook.is_capped) == (10, 3600, False)
    assert outlook.describe() == (
        "another 60 min (10 proposals): 33% likely to improve on val 0.9000; median 0.9000, 80 % "
        f"interval 0.9000 to {0.9 + 0.02 * math.log(2):.4f}"
    )


def test_nothing_is_told_of_more_than_was_tested() -> None:
    outlook = find_outlook(search_of(20, seconds=120), noise=0.02)
    assert outlook
    assert (outlook.num_proposals, outlook.is_capped) == (20 * MOST_AHEAD, True)
    assert outlook.describe().startswith(
        "another 6 min (60 proposals; further cannot be told): 75%"
    )
    short = find_outlook(search_of(20, seconds=20), noise=0.02)
    assert short
    assert short.describe().startswith("another 60 s (60 proposals")


def test_a_proposal_longer_than_an_hour_is_one_proposal() -> None:
    outlook = find_outlook(search_of(20, seconds=20 * 7200), noise=0.02)
    assert outlook
    assert (outlook.num_proposals, outlook.seconds) == (1, 7200)
    assert outlook.describe() == (
        "another 120 min (1 proposal): 5% likely to improve on val 0.9000; most probably it stays"
    )


def test_accuracies_end_at_one_and_losses_at_zero() -> None:
    search = search_of(20, seconds=120)
    outlook = find_outlook(search, noise=1.0)
    assert outlook
    assert outlook.high == 1
    search.metric = METRICS["log_loss"]
    outlook = find_outlook(search, noise=1.0)
    assert outlook
    assert (outlook.best, outlook.high) == (0.88, 0)


def test_nothing_is_better_than_all_right() -> None:
    outlook = find_outlook(record_of([trial_of([1.0], TrialState.COMPLETE)] * 20), noise=0.0)
    assert outlook
    assert outlook.describe().endswith("0% likely to improve on val 1.0000; most probably it stays")


def test_a_search_without_an_end_has_no_outlook() -> None:
    assert find_outlook(record_of([trial_of([0.5])] * 20), noise=0.1) is None
    assert find_outlook(record_of([]), noise=0.1) is None


def test_the_standard_error_is_that_of_a_share() -> None:
    assert standard_error(0.5, 100) == 0.05
    assert standard_error(1.0, 100) == 0
