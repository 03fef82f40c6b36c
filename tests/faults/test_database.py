"""The record in a database, the files in an object store: a cluster is lost with its head, and the
run goes on on another one."""

from collections.abc import Callable

import optuna
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

from tests.faults.conftest import StartCluster
from tests.faults.runs import Runs
from trainables.metrics import EpochMetrics
from trainables.storage import open_storage
from tune_jobs.engine.record.recorded_trial import RecordedTrial
from tune_jobs.engine.results.leaderboard import read_rows

TRIALS, EPOCHS = 8, 4
SLOW = {"*": {"step_seconds": 0.02}}
"""What the space returns is a part of the run: a resumed one must return the same."""

SEARCH = ("--trials", str(TRIALS), "--epochs", str(EPOCHS), "--grace-period", "2")

Reports = dict[tuple[int, int], tuple[int, EpochMetrics]]


def trials_of(database: str) -> list[FrozenTrial]:
    studies = RDBStorage(database)
    try:
        if "faulty/run" not in optuna.get_all_study_names(studies):
            return []
        return optuna.load_study(study_name="faulty/run", storage=studies).get_trials()
    finally:
        studies.remove_session()
        studies.engine.dispose()


def recorded(database: str) -> Reports:
    """(trial, epoch) -> its place among all reports, and its metrics, as a reader sees them."""
    trials = trials_of(database)
    return {
        (trial.number, metrics.epoch): (sequence, metrics)
        for trial in trials
        for sequence, metrics in RecordedTrial(trial).in_sequence()
    }


def test_the_head_is_lost_and_the_run_goes_on_on_another_cluster(
    make_runs: Callable[..., Runs], start_cluster: StartCluster, bucket: str, database: str
) -> None:
    storage = open_storage(bucket).child("head-lost").uri
    where = ("--storage", storage, "--study", database)
    with start_cluster(head=2) as first:
        runs = make_runs(first.address, SLOW, "first")
        driver = runs.start(*SEARCH, *where)
        driver.until(lambda: len(recorded(database)) >= 2 * EPOCHS)
        driver.kill()
        first.kill("head")
        driver.wait()
    acknowledged = recorded(database)
    with start_cluster(head=2) as second:
        again = make_runs(second.address, SLOW, "second")
        again.run(*SEARCH, "--storage", storage)  # where the record is, run.json says
    now = recorded(database)
    assert {key: now[key] for key in acknowledged} == acknowledged
    sequence = sorted(place for place, _ in now.values())
    assert sequence == list(range(1, len(sequence) + 1))
    trials = trials_of(database)
    assert len(trials) == TRIALS
    assert {t.state for t in trials} <= {TrialState.COMPLETE, TrialState.PRUNED}
    rows, warnings = read_rows(storage)
    assert warnings == []
    assert {row.num_trials for row in rows} == {TRIALS}
    names = open_storage(storage).child("runs/faulty/run").names()
    assert "study.journal" not in names
    for name in names:
        content = open_storage(storage).child("runs/faulty/run").read(name)
        assert b"not-in-any-file" not in content, name


def test_a_database_that_cannot_be_used_is_a_wrong_request(
    make_runs: Callable[..., Runs], database: str, bucket: str
) -> None:
    """Told before Ray starts, and without the password."""
    runs = make_runs(None)
    closed = database.replace(database.rpartition(":")[2], "1/postgres")
    assert "--study = " in runs.run("--study", closed, status=2).said
    secret = database.replace("tester@", "tester:secret@")
    said = runs.run("--study", secret, status=2).said
    assert "must hold no password" in said
    assert "secret" not in said
    assert "must be 'journal' or a database's URL" in runs.run("--study", "what", status=2).said
