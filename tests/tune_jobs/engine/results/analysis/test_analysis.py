"""What the end of a run says of its search."""

from collections.abc import Sequence
from typing import Any

import pytest
from optuna.trial import FrozenTrial, TrialState

from tests.tune_jobs.engine.parts import make_info
from tests.tune_jobs.engine.results.examples import make_retrained
from trainables.metrics import METRICS
from tune_jobs.engine.results.analysis.analysis import SearchAnalysis, analyse

from .trials import record_of, trial_of

NOTHING = "nothing was found above the noise of validation so far; "


def search_of(default: float, *found: float) -> list[FrozenTrial]:
    full = TrialState.COMPLETE
    proposals = [trial_of([value], full, source="centre") for value in found]
    stopped = [trial_of([0.1], source="uniform")] * 6
    return [trial_of([default], full, origin="default"), *proposals, *stopped]


def analysis_of(trials: Sequence[FrozenTrial], **changes: Any) -> SearchAnalysis:
    info = make_info(**{"chance": {"accuracy": 0.1}, **changes})
    default = [trial.value for trial in trials if "origin" in trial.user_attrs]
    results = [make_retrained(0, *[value for value in default if value], origin="default")]
    return analyse(info, record_of(trials), results, num_validation=100)


def test_all_is_told_by_its_label() -> None:
    told = analysis_of(search_of(0.5, 0.9, 0.8)).describe()
    assert told["proposals"] == (
        "1 at the recipe (best 0.5000), 2 around the recipe (best 0.9000), "
        "6 from anywhere (none to the end)"
    )
    assert told["mattered"].startswith("too few trials")
    assert told["at chance"].startswith("6 of 9 epochs (67%)")
    assert told["outlook"].startswith("another 3 min (27 proposals; further cannot be told): 75%")


@pytest.mark.parametrize(("best", "is_noise"), [(0.55, True), (0.9, False)])
def test_a_search_that_found_nothing_above_its_noise_says_so(best: float, is_noise: bool) -> None:
    """The standard error of half on 100 images is 0.05."""
    outlook = analysis_of(search_of(0.5, best)).describe()["outlook"]
    assert outlook.startswith(NOTHING) == is_noise


def test_a_run_of_an_early_version_says_what_it_did_not_record() -> None:
    trials = [trial_of([0.9], TrialState.COMPLETE)] * 9
    told = analysis_of(trials, chance={})
    assert told.describe()["at chance"] == "not recorded"
    assert told.describe()["proposals"] == "9 not recorded (best 0.9000)"
    assert told.reference is None


def test_noise_is_not_known_of_another_metric() -> None:
    search = record_of(search_of(0.5, 0.4, 0.3))
    search.metric = METRICS["log_loss"]
    told = analyse(
        make_info(), search, [make_retrained(0, 0.5, origin="default")], num_validation=100
    )
    assert told.within_noise is None
    assert told.outlook
    assert told.outlook.best == 0.3
