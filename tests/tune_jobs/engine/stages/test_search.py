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
    open_search,
    report,
    run_to_the_end,
    space,
)
from trainables.metrics import Metric
from tune_jobs.engine.job import Published
from tune_jobs.engine.record.journal import repair_journal
from tune_jobs.engine.search.early_stopping import Asha, Never, RungSettings
from tune_jobs.engine.search.limits import ModelLimits, SearchLimits
from tune_jobs.engine.stages.candidates import choose_candidates
from tune_jobs.engine.stages.first import FirstConfiguration
from tune_jobs.engine.stages.search import Search


def wide_space(trial: optuna.Trial) -> None:
    """The process dies before the parameter that the environment names is drawn."""
    space(trial)
    for name in "abc":
        if os.environ.get("CUT") == name:
            raise InterruptedError
        trial.suggest_float(name, 0, 1)


def worded_space(trial: optuna.Trial) -> dict[str, Any]:
    """What a word stands for is in the environment."""
    size = trial.suggest_categorical("size", ("small", "large"))
    return {"width": int(os.environ.get("LARGE", "64")) if size == "large" else 8}


def fragile_space(trial: optuna.Trial) -> dict[str, Any]:
    """It fails for the trials that the environment names."""
    constants = space(trial)
    if str(getattr(trial, "number", "")) in os.environ.get("FAILS", "").split():
        raise ZeroDivisionError("a rare draw")
    return constants


def asha() -> Asha:
    return Asha(RungSettings(grace_period=1, reduction_factor=2, brackets=1, epochs=EPOCHS))


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "study.journal"


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
    [stopped] = search.record.trials(TrialState.PRUNED)
    assert stopped.end_reason == "1,001 parameters, above --max-parameters 1,000"


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


def test_the_time_of_a_session_that_is_killed_counts(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = open_search(journal)
    trials = [search.next_task() for _ in range(2)]
    assert all(trials)
    run_to_the_end(search, trials[0])
    after_an_end = open_search(journal).record.seconds
    assert after_an_end > 0
    monkeypatch.setattr("tune_jobs.engine.stages.search.COUNTED_EVERY_SECONDS", 0)
    assert search.on_report(1, report(1, 0.5))
    assert open_search(journal).record.seconds > after_an_end


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
    assert search.record.study.best_trial.number == 1


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


def test_it_goes_on_from_the_record(journal: Path) -> None:
    rule = asha()
    search = open_search(journal, trials=4, rule=rule)
    trials = [search.next_task() for _ in range(3)]
    run_to_the_end(search, trials[0], 0.5)
    search.on_report(1, report(1, 0.6))
    search.on_report(2, report(1, 0.7))

    resumed_rule = asha()
    resumed = open_search(journal, trials=4, rule=resumed_rule)
    assert resumed_rule.rungs() == rule.rungs()
    again = [resumed.next_task() for _ in range(2)]
    assert [t and t.number for t in again] == [1, 2]
    assert [t and t.config for t in again] == [t and t.config for t in trials[1:]]
    for trial in again:
        assert run_to_the_end(resumed, trial, 0.7) == EPOCHS
    last = resumed.next_task()
    assert last is not None
    assert last.number == 3
    assert resumed.next_task() is None
    assert resumed.record.trials()[1].frozen.intermediate_values[1] == 0.6, "what is recorded stays"


def test_trial_n_is_the_same_whatever_came_before_it_in_this_process(tmp_path: Path) -> None:
    def proposals(journal: Path, interrupted: bool) -> list[Any]:
        search = open_search(journal, trials=14)
        configs = []
        for number in range(14):
            if interrupted and number == 12:
                search = open_search(journal, trials=14)
            trial = search.next_task()
            assert trial is not None
            configs.append(trial.config)
            run_to_the_end(search, trial, trial.config["lr"])
        return configs

    straight = proposals(tmp_path / "a.journal", interrupted=False)
    assert proposals(tmp_path / "b.journal", interrupted=True) == straight


def test_the_journal_opens_in_optuna(journal: Path) -> None:
    search = open_search(journal, trials=1)
    run_to_the_end(search, search.next_task(), 0.75)
    storage = optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend(str(journal))
    )
    study = optuna.load_study(study_name="job/run", storage=storage)
    assert study.best_value == 0.75


def test_a_report_that_is_repeated_is_neither_stored_nor_decided_again(journal: Path) -> None:
    search = open_search(journal, trials=4, rule=asha())
    for _ in range(3):
        search.next_task()
    assert search.on_report(1, report(1, 0.5)), "the first at its rung goes on"
    assert search.on_report(2, report(1, 0.9))
    assert search.on_report(1, report(1, 0.5, seconds=9.0)), "it was let go on before"
    assert search.on_report(1, report(1, 0.1)), "even if it is another figure now"
    trial = search.record.trials()[1]
    assert trial.frozen.user_attrs["epoch_1"]["seconds"] == 0.1
    assert trial.frozen.user_attrs["repeated_1"]["val_accuracy"] == 0.1


def test_a_crash_between_report_and_decision_decides_on_resume(journal: Path) -> None:
    search = open_search(journal, trials=5, rule=asha())
    for _ in range(4):
        search.next_task()
    search.on_report(1, report(1, 0.9))
    for number, epoch, value in ((2, 1, 0.1), (3, 1, 0.95), (3, EPOCHS, 0.99)):
        search.record.report(number, report(epoch, value))  # ... and the process dies
    resumed = open_search(journal, trials=5, rule=asha())
    states = [t.state for t in resumed.record.trials()]
    assert states[2:4] == [TrialState.PRUNED, TrialState.COMPLETE]
    assert resumed.record.trials()[2].end_reason == "stopped early"
    left = [resumed.next_task(), resumed.next_task()]
    assert [t and (t.number, t.epochs_reported) for t in left] == [(0, 0), (1, 1)]


def test_the_order_of_the_record_is_that_of_arrival(journal: Path) -> None:
    """Whatever the numbers of the trials and the clock: a rung is filled as it was before."""
    rule = asha()
    search = open_search(journal, trials=5, rule=rule)
    for _ in range(4):
        search.next_task()
    decided = {n: search.on_report(n, report(1, v)) for n, v in ((3, 0.5), (1, 0.6), (2, 0.4))}
    assert decided == {3: True, 1: True, 2: False}
    again = asha()
    open_search(journal, trials=5, rule=again)
    assert again == rule or again.rungs() == rule.rungs()
    reports = [
        t.frozen.user_attrs.get("epoch_1", {}).get("sequence") for t in search.record.trials()
    ]
    assert reports == [None, 2, 3, 1]


def test_a_torn_line_is_cut_off_before_anything_is_appended(journal: Path) -> None:
    search = open_search(journal)
    search.next_task()
    search.on_report(0, report(1, 0.4))
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code": 4, "tri')
    assert repair_journal(journal) == 19
    assert journal.read_bytes() == whole
    assert repair_journal(journal) == 0
    resumed = open_search(journal)
    assert resumed.next_task() is not None
    assert resumed.on_report(0, report(2, 0.5))
    assert open_search(journal).record.trials()[0].frozen.intermediate_values == {1: 0.4, 2: 0.5}


@pytest.mark.parametrize("content", [b"", b"x" * 200_000, b"{}\n" + b"y" * 70_000])
def test_a_torn_line_of_any_length(tmp_path: Path, content: bytes) -> None:
    journal = tmp_path / "study.journal"
    journal.write_bytes(content)
    assert repair_journal(journal) == len(content) - (content.rfind(b"\n") + 1)
    assert journal.read_bytes() == content[: content.rfind(b"\n") + 1]


def test_a_lock_that_a_dead_process_left_is_taken_over(journal: Path) -> None:
    search = open_search(journal)
    journal.with_name(f"{journal.name}.lock").symlink_to(journal)
    assert search.next_task() is not None


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_proposal_that_a_crash_cut_short_is_made_again_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sampler: str
) -> None:
    """Which of its parameters the record has already does not change the others."""

    def first_proposals(journal: Path, cut: bool) -> list[Any]:
        configs: list[Any] = []
        while len(configs) < 13:
            search = open_search(journal, trials=13, sampler=sampler, space=wide_space)
            while trial := search.next_task():
                configs.append(trial.config)
                run_to_the_end(search, trial, trial.config["lr"])
                if cut and len(configs) in (5, 12):
                    monkeypatch.setenv("CUT", "b")
                    with pytest.raises(InterruptedError):
                        search.next_task()
                    monkeypatch.delenv("CUT")
                    break
        return configs

    straight = first_proposals(tmp_path / "a.journal", cut=False)
    assert first_proposals(tmp_path / "b.journal", cut=True) == straight


def test_a_proposal_is_the_same_whichever_line_of_it_was_the_last(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.journal", tmp_path / "cut.journal"
    search = open_search(whole)
    run_to_the_end(search, search.next_task())
    lines = len(whole.read_bytes().splitlines())
    assert search.next_task()
    written = whole.read_bytes().splitlines(keepends=True)
    made = search.record.trials()[1]
    assert made.source
    for end in range(lines, len(written) + 1):
        cut.write_bytes(b"".join(written[:end]))
        resumed = open_search(cut)
        assert resumed.next_task()
        again = resumed.record.trials()[1]
        assert (again.params, again.source, again.config) == (made.params, made.source, made.config)


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


def open_fork(journal: Path, *, trials: int = 0) -> Search:
    """It begins with two configurations of another run, which this space does not tell apart."""
    forked = [
        FirstConfiguration(config={"size": "large", "width": width, "depth": 2}, origin="search")
        for width in (64, 32)
    ]
    search = open_search(journal, trials=trials, first=0, space=worded_space)
    return Search(replace(search.plan, first=forked), search.record, Never())


def test_a_configuration_of_another_run_is_tried_once(journal: Path) -> None:
    search = open_fork(journal, trials=1)
    assert len(search.record.trials()) == 1
    assert len(open_fork(journal, trials=1).record.trials()) == 1, "it waits"
    run_to_the_end(search, search.next_task())
    assert len(open_fork(journal, trials=1).record.trials()) == 1, "it has ended"


def test_the_default_is_not_tried_again_for_another_run(journal: Path) -> None:
    search = open_search(journal)
    forked = replace(search.plan.first[0], origin="search", source="fork")
    plan = replace(search.plan, first=[*search.plan.first, forked])
    assert len(Search(plan, search.record, Never()).record.trials()) == 1, "it waits"
    run_to_the_end(search, search.next_task())
    assert len(Search(plan, search.record, Never()).record.trials()) == 1, "it has ended"


def test_a_report_that_is_added_is_tried_though_all_others_were(journal: Path) -> None:
    search = open_search(journal)
    while trial := search.next_task():
        run_to_the_end(search, trial)
    published = Published(name="2", config={"lr": 0.02})
    config = {**search.plan.first[0].config, "lr": 0.02}
    added = FirstConfiguration(config=config, origin="published", published=published)
    plan = replace(search.plan, first=[*search.plan.first, added])
    resumed = Search(plan, search.record, Never())
    trial = resumed.next_task()
    assert trial is not None
    assert trial.config["lr"] == 0.02
    run_to_the_end(resumed, trial)
    assert resumed.finished


def test_what_a_space_returns_now_tells_configurations_apart(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = open_fork(journal, trials=1)
    run_to_the_end(search, search.next_task())
    monkeypatch.setenv("LARGE", "128")
    resumed = open_fork(journal, trials=2)
    again = resumed.next_task()
    assert again is not None
    assert again.config["width"] == 128
    was, now = resumed.record.trials()
    assert was.params == now.params
    assert was.config
    assert was.config["width"] == 64
