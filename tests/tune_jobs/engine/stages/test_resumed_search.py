"""A search that goes on from its record, whatever cut the session before short."""

import math
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
from tune_jobs.engine.record.journal import repair_journal


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
    assert "repeated_1" not in search.record.trials()[1].frozen.user_attrs, "it is the same figure"
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


def test_a_trial_that_diverged_as_the_session_died_ends_and_stores_no_nan(journal: Path) -> None:
    search = open_search(journal)
    search.next_task()
    search.record.report(0, report(1, math.nan))  # ... and the process dies
    resumed = open_search(journal)
    [trial] = resumed.record.trials(TrialState.PRUNED)
    assert (trial.end_reason, trial.frozen.intermediate_values) == ("diverged", {})
    assert "NaN" not in journal.read_text()


def wider_space(trial: optuna.Trial) -> dict[str, Any]:
    return {**space(trial), "width": 16}


def test_a_trial_that_has_begun_keeps_its_configuration(journal: Path) -> None:
    """Whatever the space returns by now."""
    begun = open_search(journal).next_task()
    resumed = open_search(journal, space=wider_space)
    first, second = resumed.next_task(), resumed.next_task()
    assert begun
    assert first
    assert second
    assert (first.number, first.config) == (begun.number, begun.config)
    assert second.config["width"] == 16


def test_the_order_of_the_record_is_that_of_arrival(journal: Path) -> None:
    """Whatever the numbers of the trials and the clock: a rung is filled as it was before."""
    rule = asha()
    search = open_search(journal, trials=5, rule=rule)
    for _ in range(4):
        search.next_task()
    decided = {n: search.on_report(n, report(1, v)) for n, v in ((3, 0.4), (1, 0.6), (2, 0.7))}
    assert decided == {3: True, 1: True, 2: True}, "trial 3 was the first, whatever it reached"
    again = asha()
    resumed = open_search(journal, trials=5, rule=again)
    assert not resumed.record.trials(TrialState.PRUNED)
    assert again.rungs() == rule.rungs()
    reports = [
        t.frozen.user_attrs.get("epoch_1", {}).get("sequence") for t in search.record.trials()
    ]
    assert reports == [None, 2, 3, 1]
    assert resumed.next_task()
    assert resumed.on_report(0, report(1, 0.9))
    assert resumed.record.trials()[0].last_sequence == 4, "the next session counts on"


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


@pytest.mark.parametrize(
    ("whole", "torn"),
    [
        (b"", b""),
        (b"", b"x" * 200_000),
        (b"{}\n", b"y" * 70_000),
        (b'{}\n{"a": 1}\n', b"\0\0\n\0\n"),  # lines that are none, as a power cut leaves them
        (b"", b"\0\n\0"),
    ],
)
def test_a_torn_end_of_any_length(tmp_path: Path, whole: bytes, torn: bytes) -> None:
    journal = tmp_path / "study.journal"
    journal.write_bytes(whole + torn)
    assert repair_journal(journal) == len(torn)
    assert journal.read_bytes() == whole


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
