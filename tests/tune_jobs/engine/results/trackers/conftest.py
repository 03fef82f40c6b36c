"""What the tests of all trackers need: a record, and what follows it."""

import time
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from tests.tune_jobs.engine.stages.searches import report, run_to_the_end
from trainables.metrics import METRICS
from trainables.storage import LocalStorage
from tune_jobs.digits_cnn import JOB
from tune_jobs.engine.options import Options
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.results.trackers import follow
from tune_jobs.engine.results.trackers.follow import Trackers, open_trackers
from tune_jobs.engine.stages.search import Search

PATIENCE_SECONDS = 600  # a loaded machine is slow

Follow = Callable[[str], Trackers]


@pytest.fixture
def trackers_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Follow:
    """Open the trackers of a session of one run, whose storage is the test's folder."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("WANDB_DIR", raising=False)
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB__SERVICE_WAIT", str(PATIENCE_SECONDS))
    monkeypatch.setattr(follow, "EVERY_SECONDS", 0.05)
    monkeypatch.setattr(follow, "PATIENCE_SECONDS", PATIENCE_SECONDS)

    def open_session(names: str) -> Trackers:
        options = Options.resolve(JOB, log=names, run_id="one")
        return open_trackers(JOB, options, LocalStorage(tmp_path))

    return open_session


def wait_until(condition: Callable[[], object]) -> None:
    last = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < last, "it did not come"
        time.sleep(0.05)


def end_and_fail(search: Search) -> None:
    """Train the next trial to its end, at 0.25, and one more until it fails."""
    run_to_the_end(search, search.next_task(), 0.25)
    failed = search.next_task()
    assert failed is not None
    search.on_report(failed.number, report(1, 0.5))
    search.on_failure(failed.number, "it broke")


def train_next(search: Search, *epochs: int) -> None:
    """Report epochs of the next trial, a quarter of its number each."""
    trial = search.next_task()
    assert trial is not None
    for epoch in epochs:
        search.on_report(trial.number, report(epoch, epoch / 4))


def open_pair() -> Record:
    """A retraining of one pair, whose trials all have the pair's name."""
    backend = optuna.storages.InMemoryStorage()
    return Record.open(backend, "job/run", lambda _: "pair", METRICS["accuracy"])


def train_pair(record: Record, *values: float, end: TrialState) -> None:
    trial = record.ask(optuna.samplers.RandomSampler(), lambda _: {"lr": 0.1})
    for epoch, value in enumerate(values, start=1):
        record.report(trial.number, report(epoch, value))
    record.end(trial.number, end, "")
