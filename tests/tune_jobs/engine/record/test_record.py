"""What the record holds of trials, on a real journal."""

import shutil
from pathlib import Path

import optuna
import pytest
from optuna.samplers import RandomSampler
from optuna.trial import TrialState

from trainables.metrics import METRICS, EpochMetrics
from trainables.trials.report import EpochReport, Resumption
from tune_jobs.engine.job import Published
from tune_jobs.engine.record.journal import open_journal
from tune_jobs.engine.record.record import Record

FORMATS = Path(__file__).parents[3] / "formats" / "c302f04"


def open_record(folder: Path, metric: str = "accuracy") -> Record:
    journal = open_journal(folder / "study.journal")
    return Record.open(journal, f"job/{metric}", lambda t: f"trial-{t.number}", METRICS[metric])


def ask(record: Record) -> int:
    def complete(trial: optuna.Trial) -> dict[str, float]:
        return {"lr": trial.suggest_float("lr", 0, 1)}

    return record.ask(RandomSampler(seed=0), complete).number


def report(
    record: Record, number: int, epoch: int, accuracy: float, resumption: Resumption | None = None
) -> None:
    metrics = EpochMetrics(epoch=epoch, seconds=epoch, val_accuracy=accuracy, val_loss=1 - accuracy)
    record.report(number, EpochReport(metrics=metrics, resumption=resumption))


def test_a_trials_value_is_that_of_its_last_epoch(tmp_path: Path) -> None:
    record = open_record(tmp_path)
    number = ask(record)
    for epoch, accuracy in ((1, 0.5), (2, 0.9), (4, 0.7)):
        report(record, number, epoch, accuracy)
    assert record.end(number, TrialState.COMPLETE, "full budget") == 0.7
    [trial] = open_record(tmp_path).trials()
    assert trial.value == 0.7
    assert trial.last
    assert (trial.last.epoch, trial.last.val_accuracy) == (4, 0.7)
    assert (trial.num_epochs, trial.seconds) == (4, 1 + 2 + 4)
    assert trial.frozen.intermediate_values == {1: 0.5, 2: 0.9, 4: 0.7}


def test_a_retraining_goes_on_from_a_trial_that_was_given_its_seed_unless_it_is_stopped(
    tmp_path: Path,
) -> None:
    record = open_record(tmp_path)
    for seed in (7, 7, 7, 7):
        record.enqueue({"lr": 0.5}, origin="default", seed=seed)
    for state in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL):
        number = ask(record)
        report(record, number, 1, 0.5)
        record.end(number, state, "")
    report(record, ask(record), 1, 0.5)
    ask(record)
    found = [trial.goes_on_with for trial in record.trials()]
    assert found == [(0, 7), None, None, (3, 7), None]


@pytest.mark.parametrize("metric", ["accuracy", "log_loss"])
def test_the_best_are_those_of_full_budget_and_of_equals_the_first(
    tmp_path: Path, metric: str
) -> None:
    record = open_record(tmp_path, metric)
    for accuracy in (0.7, 0.9, 0.8, 0.9):
        number = ask(record)
        report(record, number, 1, accuracy)
        record.end(number, TrialState.COMPLETE, "full budget")
    number = ask(record)
    report(record, number, 1, 0.99)
    record.end(number, TrialState.PRUNED, "stopped early")
    assert [trial.number for trial in record.best()] == [1, 3, 2, 0]
    assert [trial.number for trial in record.best(2)] == [1, 3]


def test_the_time_of_all_sessions_is_added_up(tmp_path: Path) -> None:
    open_record(tmp_path).add_seconds(5.0)
    open_record(tmp_path).add_seconds(2.0)
    assert open_record(tmp_path).seconds == 7.0


def test_an_epoch_whose_value_was_not_written_any_more_has_it_when_the_trial_goes_on(
    tmp_path: Path,
) -> None:
    """A report is two lines: the session died between them."""
    record = open_record(tmp_path)
    number = ask(record)
    for epoch in (1, 2):
        report(record, number, epoch, epoch / 10)
    journal = tmp_path / "study.journal"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
    again = open_record(tmp_path)
    [trial] = again.trials()
    assert (trial.num_epochs, trial.frozen.intermediate_values) == (2, {1: 0.1})
    again.restart(trial, RandomSampler(seed=0), lambda _: {})
    assert again.trial(number).frozen.intermediate_values == {1: 0.1, 2: 0.2}


def test_an_attempt_that_goes_on_is_noted_once(tmp_path: Path) -> None:
    """The epochs that its checkpoint holds are reported first."""
    record = open_record(tmp_path)
    number = ask(record)
    resumption = Resumption(epoch=2, corrupt=("000003.pt",))
    for epoch in range(1, 5):
        report(record, number, epoch, 0.5, resumption)
    noted = record.trial(number).frozen.user_attrs["resumed"]
    assert noted == [{"resumed_from": 2, "corrupt": "000003.pt"}]


def test_the_most_frequent_ends_are_told_first(tmp_path: Path) -> None:
    record = open_record(tmp_path)
    numbers = [ask(record) for _ in range(4)]
    for number, why in zip(numbers, ("a", "b", "b"), strict=False):
        record.end(number, TrialState.FAIL, why)
    assert record.group_ends().splitlines() == ["  2 x b", "  1 x a", "  1 x unfinished"]


def test_reports_of_an_early_version_are_those_that_its_run_began_with(tmp_path: Path) -> None:
    """Its trials do not carry them; a later session's job may have others."""
    shutil.copy(FORMATS / "runs" / "network" / "begun" / "study.journal", tmp_path)
    journal = tmp_path / "study.journal"
    for names in (("1a", "1b"), ("0z", "1a")):
        record = Record.open(
            open_journal(journal),
            "network/begun",
            lambda t: f"trial-{t.number}",
            METRICS["accuracy"],
            published_before=[Published(name=name, config={}) for name in names],
        )
        found = [trial.published for trial in record.trials()]
        assert [published.name for published in found if published] == ["1a", "1b"]
    assert open_record(tmp_path).study.user_attrs == {}, "a run of today has no need of it"
