"""A journal finds what waits, as Optuna does, and keeps little beside the trials themselves."""

from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from tune_jobs.engine.record.journal import open_journal


def waiting(study: optuna.Study) -> list[int]:
    return [t.number for t in study.get_trials(deepcopy=False, states=(TrialState.WAITING,))]


def test_trials_that_wait_are_found_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    ours = optuna.create_study(storage=open_journal(path), study_name="run")
    other = optuna.create_study(storage=open_journal(path), study_name="other")
    for value in range(3):
        ours.enqueue_trial({"x": value})
    other.enqueue_trial({"x": 9})
    assert waiting(ours) == [0, 1, 2]
    assert waiting(other) == [0]
    assert ours.ask().suggest_float("x", 0, 9) == 0
    ours.tell(0, 0.5)
    assert waiting(ours) == [1, 2]
    # Another process has enqueued one, and takes one up.
    theirs = optuna.load_study(
        storage=JournalStorage(JournalFileBackend(str(path))), study_name="run"
    )
    theirs.enqueue_trial({"x": 3})
    assert theirs.ask().suggest_float("x", 0, 9) == 1
    assert waiting(ours) == waiting(theirs) == [2, 3]
    assert [ours.ask().suggest_float("x", 0, 9) for _ in range(2)] == [2, 3]
    assert waiting(ours) == []


def test_what_is_read_is_what_optuna_reads(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    ours = optuna.create_study(storage=open_journal(path), study_name="run")
    for value in range(5):
        trial = ours.ask()
        trial.suggest_float("x", 0, 1)
        trial.set_user_attr("epoch_1", {"seconds": 0.1, "nested": [{"lr": value}]})
        ours.tell(trial, value)
    storages = [open_journal(path), JournalStorage(JournalFileBackend(str(path)))]
    read = [optuna.load_study(storage=each, study_name="run").trials for each in storages]
    assert ours.trials == read[0] == read[1]
    assert ours.get_trials(deepcopy=False) == read[1]


def test_trials_that_end_in_any_order_are_listed_as_they_are_now(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    ours = optuna.create_study(storage=open_journal(path), study_name="run")
    optunas = optuna.load_study(
        storage=JournalStorage(JournalFileBackend(str(path))), study_name="run"
    )
    running = [ours.ask() for _ in range(4)]
    for number in (1, 0, 3):
        running[2].report(0.5, number)
        ours.tell(running[number], 0.1 * number)
        running.append(ours.ask())
        listed = ours.get_trials(deepcopy=False)
        assert listed == optunas.trials
        assert [trial.number for trial in listed] == list(range(len(running)))
    ours.tell(running[2], state=TrialState.PRUNED)
    assert ours.get_trials(deepcopy=False) == optunas.trials


def test_names_are_shared_between_trials(tmp_path: Path) -> None:
    study = optuna.create_study(storage=open_journal(tmp_path / "study.journal"))
    for _ in range(2):
        study.ask().set_user_attr("epoch_1", {"val_accuracy": 0.5})
    first, second = (
        next(iter(trial.user_attrs["epoch_1"])) for trial in study.get_trials(deepcopy=False)
    )
    assert first is second
