"""Epochs at chance, from records."""

import math

import pytest
from optuna.trial import TrialState

from tests.tune_jobs.engine.parts import make_info
from trainables.metrics import METRICS
from tune_jobs.engine.results.analysis.chance import Chance, count_epochs_at_chance

from .trials import epoch_of, record_of, trial_of

ACCURACY = Chance(METRICS["accuracy"], 0.1)


@pytest.mark.parametrize(
    ("accuracies", "chance", "expected"),
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
def test_chance_ends_a_tenth_above_a_guess(
    accuracies: list[float], chance: float, expected: bool
) -> None:
    epochs = [epoch_of(accuracy) for accuracy in accuracies]
    assert Chance(METRICS["accuracy"], chance).holds(epochs) == expected


@pytest.mark.parametrize(("loss", "expected"), [(0.95, True), (0.85, False), (math.inf, True)])
def test_a_loss_is_better_the_lower(loss: float, expected: bool) -> None:
    assert Chance(METRICS["log_loss"], 1.0).holds([epoch_of(0.5, val_loss=loss)]) == expected


@pytest.mark.parametrize(
    ("metric", "expected"),
    [("accuracy", True), ("balanced_accuracy", False), ("auroc", True), ("a user's", True)],
)
def test_a_trial_is_judged_by_what_its_search_optimises(metric: str, expected: bool) -> None:
    """Nineteen of twenty images are of one class: a model that tells both is right less often than
    one that always answers the commonest."""
    info = make_info(
        metric=metric, chance={"accuracy": 0.95, "balanced_accuracy": 0.5, "auroc": 0.5}
    )
    found = Chance.of_run(info)
    assert found
    epoch = epoch_of(0.85, val_balanced_accuracy=0.85, val_auroc=0.5)
    assert found.holds([epoch]) == expected


def test_an_early_version_recorded_no_chance() -> None:
    assert Chance.of_run(make_info()) is None


def test_epochs_are_counted_of_all_trials() -> None:
    search = record_of(
        [
            trial_of([0.1, 0.5, 0.9], TrialState.COMPLETE),
            trial_of([0.1, 0.1]),
            trial_of([0.09]),
            trial_of([], TrialState.FAIL),
        ]
    )
    found = count_epochs_at_chance(search, ACCURACY)
    assert (found.num_trials, found.num_epochs, found.of_epochs) == (2, 3, 6)
    assert found.describe() == "3 of 6 epochs (50%), by 2 trials that never beat a guess"


def test_a_search_without_reports_has_no_share() -> None:
    found = count_epochs_at_chance(record_of([trial_of([], TrialState.FAIL)]), ACCURACY)
    assert "0 of 0 epochs (0%)" in found.describe()
