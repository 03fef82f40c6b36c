"""The search and its record, with real Optuna and a real journal; Ray has no part in it."""

import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from tests.tune_jobs.engine.stages.searches import (
    EPOCHS,
    asha,
    open_search,
    report,
    run_to_the_end,
    space,
    wide_space,
)
from trainables.metrics import METRICS, Metric
from tune_jobs.engine.search.early_stopping import Never
from tune_jobs.engine.search.limits import ModelLimits, SearchLimits
from tune_jobs.engine.stages.candidates import choose_candidates
from tune_jobs.engine.stages.search import Search


def fragile_space(trial: optuna.Trial) -> dict[str, Any]:
    """It fails for the trials that the environment names."""
    constants = space(trial)
    if str(getattr(trial, "number", "")) in os.environ.get("FAILS", "").split():
        raise ZeroDivisionError("a rare draw")
    return constants


def test_the_first_configuration_comes_first_and_is_complete(journal: Path) -> None:
    trial = open_search(journal).next_task()
    assert trial is not None
    assert trial.config == {
        "architecture": "net",
        "lr": 0.01,
        "width": 8,
        "depth": 2,
        "epochs": EPOCHS,
    }


def test_all_trials_of_a_search_have_its_seed(journal: Path) -> None:
    """They differ by their configurations alone."""
    search = open_search(journal)
    seeded = Search(replace(search.plan, seed=5), search.record, Never())
    tasks = [seeded.next_task() for _ in range(3)]
    assert [task and task.seed for task in tasks] == [5, 5, 5]


def test_it_ends_with_exactly_the_trials_asked_for(journal: Path) -> None:
    search = open_search(journal)
    while (trial := search.next_task()) is not None:
        assert not search.finished
        assert run_to_the_end(search, trial) == EPOCHS
    assert search.finished
    assert [t.state for t in search.record.trials()] == [TrialState.COMPLETE] * 3


def test_a_search_ends_at_its_target(journal: Path) -> None:
    limits = SearchLimits(target=0.9)
    search = open_search(journal, trials=9, limits=limits)
    first, second, third = (search.next_task() for _ in range(3))
    run_to_the_end(search, first, 0.8)
    assert third is not None
    assert search.on_report(third.number, report(1, 0.95)), "a rung is no full budget"
    run_to_the_end(search, second, 0.9)
    assert search.next_task() is None
    assert not search.on_report(third.number, report(2, 0.95))
    assert search.finished
    assert [t.end_reason for t in search.record.trials()] == [
        *("full budget", "full budget", "target reached")
    ]
    assert open_search(journal, trials=9, limits=limits).finished
    assert not open_search(journal, trials=9).finished


def test_a_model_that_is_too_large_is_stopped_at_its_first_epoch(journal: Path) -> None:
    search = open_search(journal, model_limits=ModelLimits(parameters=1000))
    large, small = search.next_task(), search.next_task()
    assert large is not None
    assert not search.on_report(large.number, report(1, 0.9, num_parameters=1001))
    assert small is not None
    assert search.on_report(small.number, report(1, 0.5, num_parameters=1000))
    diverging = search.next_task()
    assert diverging is not None
    large_and_lost = report(1, math.nan, num_parameters=1001)
    assert not search.on_report(diverging.number, large_and_lost)
    stopped = search.record.trials(TrialState.PRUNED)
    assert [trial.end_reason for trial in stopped] == [
        "1,001 parameters, above --max-parameters 1,000",
        "diverged",
    ]


def test_patience_is_counted_by_ends_and_rebuilt_from_the_record(journal: Path) -> None:
    limits = SearchLimits(patience=2)
    search = open_search(journal, trials=9, limits=limits)
    tasks = [search.next_task() for _ in range(3)]
    for task, value in zip(reversed(tasks), (0.8, 0.8, 0.7), strict=True):
        assert not search.finished
        run_to_the_end(search, task, value)
    assert search.finished
    assert open_search(journal, trials=9, limits=limits).finished
    assert not open_search(journal, trials=9, limits=SearchLimits(patience=3)).finished


def test_only_full_budget_trials_are_complete_and_best(journal: Path) -> None:
    search = open_search(journal, rule=asha())
    trials = [search.next_task() for _ in range(3)]
    assert all(trials)
    run_to_the_end(search, trials[0], 0.5)
    run_to_the_end(search, trials[1], 0.6)
    assert not search.on_report(2, report(1, 0.54))
    stopped = search.record.trials()[2]
    assert (stopped.state, stopped.frozen.value, stopped.frozen.last_step) == (
        TrialState.PRUNED,
        0.54,
        1,
    )
    assert stopped.end_reason == "stopped early"
    assert stopped.value is None, "it has not reached the full budget"
    assert search.record.study.best_trial.number == 1


def test_at_rungs_a_lower_loss_goes_on(journal: Path) -> None:
    search = open_search(journal, rule=asha())
    search.record.metric = METRICS["log_loss"]
    assert all(search.next_task() for _ in range(3))
    losses = (0.5, 0.9, 0.1)
    goes_on = [search.on_report(n, report(1, 0.5, val_loss=loss)) for n, loss in enumerate(losses)]
    assert goes_on == [True, False, True]


def test_first_configurations_set_the_bar_and_are_stopped_as_others_are(journal: Path) -> None:
    """They are retrained all the same."""
    search = open_search(journal, trials=4, rule=asha(), first=2)
    trials = [search.next_task() for _ in range(4)]
    assert search.on_report(0, report(1, 0.9))
    assert not search.on_report(1, report(1, 0.1))
    assert not search.on_report(2, report(1, 0.4)), "a proposal has to be better than their median"
    assert search.on_report(3, report(1, 0.6))
    assert all(trials)
    again = asha()
    resumed = open_search(journal, trials=4, rule=again, first=2)
    assert again.rungs() == search.rule.rungs() == {1: 4, 2: 0}
    assert [t and t.number for t in (resumed.next_task(), resumed.next_task())] == [0, 3]
    assert [c.trial_number for c in choose_candidates(search.record, ())] == [0, 1]


@pytest.mark.parametrize("poisoned", ["val_accuracy", "train_loss"])
def test_a_diverged_trial_is_pruned_at_once_and_stores_no_nan(journal: Path, poisoned: str) -> None:
    search = open_search(journal)
    search.next_task()
    assert search.on_report(0, report(1, 0.4))
    assert not search.on_report(0, report(2, 0.9, **{poisoned: math.nan}))
    [trial] = search.record.trials(TrialState.PRUNED)
    assert trial.end_reason == "diverged"
    assert trial.frozen.intermediate_values == {1: 0.4}
    assert "NaN" not in journal.read_text()


def test_a_metric_of_the_users_that_is_no_number_ends_a_trial_as_diverged(journal: Path) -> None:
    search = open_search(journal)
    precision = Metric("precision", "val precision", "maximize", lambda _: math.nan)
    search.record.metric = precision
    search.next_task()
    assert not search.on_report(0, report(EPOCHS, 0.5)), "Optuna takes no NaN of a complete trial"
    [trial] = search.record.trials(TrialState.PRUNED)
    assert trial.end_reason == "diverged"
    resumed = open_search(journal)
    assert run_to_the_end(resumed, resumed.next_task()) == EPOCHS


def test_the_sampler_learns_to_avoid_what_diverges(journal: Path) -> None:
    """Beside a cliff over two thirds of the range, behind which accuracy is best."""
    search = open_search(journal, trials=60)
    diverged = []
    while (trial := search.next_task()) is not None:
        lr = trial.config["lr"]
        diverged.append(lr > 1e-3)
        if diverged[-1]:
            search.on_report(trial.number, report(1, 0.1, train_loss=math.inf))
        else:
            run_to_the_end(search, trial, 0.9 + math.log10(lr) / 100)
    assert sum(diverged[:20]) > 8, "the test would show nothing"
    assert sum(diverged[-30:]) < 15, "half of what chance would give"


def test_a_trial_that_diverged_has_no_place_at_a_rung(journal: Path) -> None:
    """Its numbers may be finite all the same; nor has it one after the run is resumed."""
    search = open_search(journal, trials=4, rule=asha())
    for _ in range(3):
        search.next_task()
    assert not search.on_report(1, report(1, 0.99, train_loss=1e24))
    assert search.on_report(2, report(1, 0.1)), "the first at its rung"
    again = asha()
    resumed = open_search(journal, trials=4, rule=again)
    assert again.rungs() == search.rule.rungs() == {1: 1, 2: 0}
    assert resumed.record.trials()[1].end_reason == "diverged"


def test_a_failure_keeps_its_cause(journal: Path) -> None:
    search = open_search(journal)
    search.next_task()
    search.on_failure(0, "RuntimeError: boom")
    [trial] = search.record.trials(TrialState.FAIL)
    assert trial.end_reason == "RuntimeError: boom"
    assert search.record.group_ends().splitlines()[-1].endswith("RuntimeError: boom")


def test_a_proposal_for_which_the_space_fails_is_a_failed_trial(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAILS", "1 2")
    search = open_search(journal, trials=5, space=fragile_space)
    numbers = []
    while trial := search.next_task():
        numbers.append(trial.number)
        run_to_the_end(search, trial)
    assert numbers == [0, 3, 4]
    assert search.finished
    assert [t.state for t in search.record.trials()][1:3] == [TrialState.FAIL] * 2
    ends = [t.end_reason for t in search.record.trials()]
    assert ends[1] == "the space failed: ZeroDivisionError('a rare draw')"


def test_a_proposal_that_killed_an_earlier_session_fails_when_it_is_taken_up(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUT", "a")
    search = open_search(journal, first=0, space=wide_space)
    with pytest.raises(InterruptedError):
        search.next_task()
    monkeypatch.delenv("CUT")
    monkeypatch.setenv("FAILS", "0")
    resumed = open_search(journal, first=0, space=fragile_space)
    trial = resumed.next_task()
    assert trial is not None
    assert trial.number == 1
    assert resumed.record.trials()[0].state == TrialState.FAIL


def test_the_records_own_failure_is_not_taken_for_the_spaces(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUT", "a")
    search = open_search(journal, first=0, space=wide_space)
    with pytest.raises(InterruptedError):  # an OSError, as a full disk raises
        search.next_task()
    assert search.record.trials()[0].state == TrialState.RUNNING
