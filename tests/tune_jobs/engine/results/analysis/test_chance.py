"""Epochs at chance, from records."""

import math

import pytest
from optuna.trial import TrialState

from tune_jobs.engine.results.analysis.chance import count_epochs_at_chance, is_at_chance

from .trials import record_of, trial_of


@pytest.mark.parametrize(
    ("accuracies", "commonest", "expected"),
    [
        ([0.1, 0.11], 0.1, True),  # within a tenth, so one lucky image is no success
        ([0.1, 0.12], 0.1, False),
        ([0.9, 0.12, 0.1], 0.1, False),  # it has learned once
        ([0.9, 0.905], 0.9, True),
        ([0.92], 0.9, False),  # of the error, where that is less: 0.99 is asked of nobody
        ([math.nan], 0.1, True),
        ([], 0.1, True),
    ],
)
def test_chance_ends_a_tenth_above_the_commonest_class(
    accuracies: list[float], commonest: float, expected: bool
) -> None:
    assert is_at_chance(accuracies, commonest) == expected


def test_epochs_are_counted_of_all_trials() -> None:
    search = record_of(
        [
            trial_of([0.1, 0.5, 0.9], TrialState.COMPLETE),
            trial_of([0.1, 0.1]),
            trial_of([0.09]),
            trial_of([], TrialState.FAIL),
        ]
    )
    found = count_epochs_at_chance(search, 0.1)
    assert (found.num_trials, found.num_epochs, found.of_epochs) == (2, 3, 6)
    assert found.describe() == (
        "3 of 6 epochs (50%), by 2 trials that never beat the commonest class"
    )


def test_a_search_without_reports_has_no_share() -> None:
    found = count_epochs_at_chance(record_of([trial_of([], TrialState.FAIL)]), 0.1)
    assert "0 of 0 epochs (0%)" in found.describe()
