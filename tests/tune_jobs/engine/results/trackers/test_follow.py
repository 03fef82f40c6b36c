"""Whatever a tracker does, the run goes on, and the tracker has all in the end, once."""

import math
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from optuna.trial import TrialState

from tests.tune_jobs.engine.results.trackers.conftest import (
    Follow,
    open_pair,
    train_pair,
    wait_until,
)
from tests.tune_jobs.engine.stages.searches import open_search, report, run_to_the_end
from trainables.metrics import EpochMetrics
from trainables.storage import LocalStorage, open_storage
from tune_jobs.digits_cnn import JOB
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.options import Options
from tune_jobs.engine.record.recorded_trial import RecordedTrial
from tune_jobs.engine.results.trackers import follow
from tune_jobs.engine.results.trackers.follow import Trackers, open_trackers


@dataclass
class Shelf:
    """A tracker in memory, which keeps what it gets in its order, and can be out of reach."""

    epochs: dict[str, list[int]] = field(default_factory=dict)
    ends: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    refused: str | None = None
    error: Exception | None = None
    num_begun: int = 0
    answers: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.answers.set()

    def begin(self, name: str, trial: RecordedTrial) -> float:
        self._reach()
        if name == self.refused:
            raise ValueError(f"{name} is refused")
        self.num_begun += 1
        taken = self.epochs.setdefault(name, [])
        return math.inf if self.ends.get(name) == trial.state.name else max(taken, default=0)

    def add(self, name: str, trial: RecordedTrial, epochs: Sequence[EpochMetrics]) -> None:
        self._reach()
        self.epochs[name] += [metrics.epoch for metrics in epochs]

    def end(self, name: str, trial: RecordedTrial) -> None:
        self._reach()
        assert self.ends.get(name) in (None, "FAIL")
        self.ends[name] = trial.state.name

    def keep(self, files: Sequence[Path]) -> None:
        self._reach()
        self.files += [file.read_text() for file in files]

    def close(self) -> None:
        self._reach()

    def _reach(self) -> None:
        self.answers.wait()
        if self.error:
            raise self.error


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    monkeypatch.setattr(follow, "EVERY_SECONDS", 0.02)
    shelf = Shelf()
    yield shelf
    shelf.answers.set()


def gather(capsys: pytest.CaptureFixture[str], said: list[str]) -> str:
    said.append(capsys.readouterr().err)
    return "".join(said)


def test_all_is_sent_while_the_run_goes_on(shelf: Shelf, tmp_path: Path) -> None:
    search = open_search(tmp_path / "journal", trials=1)
    page = tmp_path / "page.html"
    page.write_text("found")
    with Trackers({"shelf": lambda: shelf}) as trackers:
        trackers.follow(lambda: [search.record])
        trial = search.next_task()
        assert trial is not None
        for epoch in (1, 2):
            search.on_report(trial.number, report(epoch, 0.5))
            wait_until(lambda: epoch in shelf.epochs.get("trial-0", ()))  # noqa: B023
        trackers.keep([str(page), None])
    assert shelf.epochs == {"trial-0": [1, 2]}
    assert (shelf.ends, shelf.files) == ({}, ["found"])


@pytest.mark.parametrize("down", ["connect", "later"])
def test_what_a_tracker_missed_is_sent_when_it_is_back(
    shelf: Shelf, tmp_path: Path, capsys: pytest.CaptureFixture[str], down: str
) -> None:
    said: list[str] = []
    error = ConnectionError("http://me:hidden@there is down\nand much more")
    search = open_search(tmp_path / "journal", trials=2)

    def connect() -> Shelf:
        if down == "connect" and shelf.error:
            raise shelf.error
        return shelf

    with Trackers({"shelf": connect}) as trackers:
        trackers.follow(lambda: [search.record])
        if down == "later":
            run_to_the_end(search, search.next_task())
            wait_until(lambda: "trial-0" in shelf.ends)
        shelf.error = error
        while trial := search.next_task():
            run_to_the_end(search, trial)
        wait_until(lambda: gather(capsys, said))
        shelf.error = None
    assert shelf.epochs == {"trial-0": [1, 2, 3, 4], "trial-1": [1, 2, 3, 4]}
    assert shelf.ends == {"trial-0": "COMPLETE", "trial-1": "COMPLETE"}
    expected = (
        "warning: --log shelf: http://***@there is down: the run goes on, and what is missing is "
        "sent later\n"
    )
    assert gather(capsys, said) == expected


def test_a_trial_that_is_refused_keeps_no_other_waiting(
    shelf: Shelf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.refused = "trial-0"
    search = open_search(tmp_path / "journal", trials=2)
    with Trackers({"shelf": lambda: shelf}) as trackers:
        trackers.follow(lambda: [search.record])
        while trial := search.next_task():
            run_to_the_end(search, trial)
    assert shelf.ends == {"trial-1": "COMPLETE"}
    assert "trial-0 is refused: not all has been sent" in capsys.readouterr().err


def test_what_is_missing_at_the_end_is_sent_by_the_next_session(
    shelf: Shelf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    search = open_search(tmp_path / "journal", trials=2)
    with Trackers({"shelf": lambda: shelf}) as trackers:
        trackers.follow(lambda: [search.record])
        run_to_the_end(search, search.next_task())
        trial = search.next_task()
        assert trial is not None
        search.on_report(trial.number, report(1, 0.5))
        wait_until(lambda: shelf.epochs.get("trial-1") == [1])
        shelf.error = ConnectionError("down")
        search.on_report(trial.number, report(2, 0.5))
        wait_until(lambda: gather(capsys, said))
    ending = "warning: --log shelf: down: not all has been sent; resuming the run sends the rest\n"
    assert gather(capsys, said).endswith(ending)
    shelf.error = None

    again = open_search(tmp_path / "journal", trials=2)
    with Trackers({"shelf": lambda: shelf}) as trackers:
        trackers.follow(lambda: [again.record])
    assert shelf.epochs == {"trial-0": [1, 2, 3, 4], "trial-1": [1, 2]}
    assert shelf.ends == {"trial-0": "COMPLETE"}


def test_a_pair_that_failed_and_is_trained_again_is_sent_again(
    shelf: Shelf, tmp_path: Path
) -> None:
    pair = open_pair()
    train_pair(pair, 0.25, end=TrialState.FAIL)
    with Trackers({"shelf": lambda: shelf}) as trackers:
        trackers.follow(lambda: [pair])
    assert (shelf.epochs, shelf.ends) == ({"pair": [1]}, {"pair": "FAIL"})
    for _ in range(2):
        with Trackers({"shelf": lambda: shelf}) as trackers:
            trackers.follow(lambda: [pair])
            if shelf.ends["pair"] == "FAIL":
                wait_until(lambda: shelf.num_begun == 2)
                train_pair(pair, 0.25, 0.5, end=TrialState.COMPLETE)
        assert (shelf.epochs, shelf.ends) == ({"pair": [1, 2]}, {"pair": "COMPLETE"})


def test_one_that_never_answers_is_not_waited_for(
    shelf: Shelf,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(follow, "PATIENCE_SECONDS", 0.1)
    shelf.answers.clear()
    search = open_search(tmp_path / "journal", trials=1)
    with Trackers({"shelf": lambda: shelf}) as trackers:
        trackers.follow(lambda: [search.record])
        run_to_the_end(search, search.next_task())
    expected = "warning: --log shelf: it does not answer: not all has been sent; resuming the run "
    assert capsys.readouterr().err == f"{expected}sends the rest\n"


def test_an_error_of_the_run_is_the_runs(shelf: Shelf, tmp_path: Path) -> None:
    search = open_search(tmp_path / "journal", trials=1)

    def run() -> None:
        with Trackers({"shelf": lambda: shelf}) as trackers:
            trackers.follow(lambda: [search.record])
            run_to_the_end(search, search.next_task())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    assert shelf.ends == {"trial-0": "COMPLETE"}


def test_nothing_is_sent_of_a_run_that_has_not_begun(tmp_path: Path) -> None:
    connected: list[str] = []

    def connect() -> Shelf:
        connected.append("yes")
        return Shelf()

    with Trackers({"shelf": connect}) as trackers:
        trackers.follow(tuple)
    with Trackers({"shelf": connect}):
        pass
    assert not connected


@pytest.mark.parametrize("name", ["mlflow", "wandb"])
def test_without_the_extra(name: str, trackers_of: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)  # as if it were not installed
    said = rf"--log = '{name}': {name} is not installed: pip install 'tune-jobs\[{name}\]'"
    with pytest.raises(RequestError, match=said):
        trackers_of(name)


def test_a_store_holds_no_database(
    bucket: str, trackers_of: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    trackers_of("mlflow")
    options = Options.resolve(JOB, log="mlflow", run_id="one")
    with pytest.raises(RequestError, match="set MLFLOW_TRACKING_URI to the address of a server"):
        open_trackers(JOB, options, open_storage(bucket))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    open_trackers(JOB, options, open_storage(bucket))


def test_a_key_is_asked_for_before_anything_starts(
    trackers_of: Callable[[str], Trackers], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trackers_of("wandb")
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    options = Options.resolve(JOB, log="wandb", run_id="one")
    with pytest.raises(RequestError, match=r"--log = 'wandb': there is no key: run `wandb login`"):
        open_trackers(JOB, options, LocalStorage(tmp_path))
