"""A run whose storage is an object store: a real S3 server, reached by its address."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from rich.console import Console

import trainables
from tests.conftest import CREDENTIALS
from tests.tune_jobs.engine.parts import make_info
from trainables.config import ConfigError
from trainables.storage import LocalStorage, Storage, StorageError, open_storage
from trainables.training.pretrained import load_pretrained
from tune_jobs import engine
from tune_jobs.digits_mlp import JOB
from tune_jobs.engine.cli import commands
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.reproduce import find_row, reproduce
from tune_jobs.engine.results.leaderboard import read_rows
from tune_jobs.engine.results.publish import rebuild
from tune_jobs.engine.results.run_result import RunResult
from tune_jobs.engine.run_state import lease as leases
from tune_jobs.engine.run_state.folder import INFO, RunFolder
from tune_jobs.engine.run_state.lease import LEASE, lease

SMALL = {"epochs": 2, "retrain_top": 1, "retrain_seeds": 2, "seed": 3, "run_id": "far"}


def run(storage: str, folder: Path, **options: object) -> RunResult:
    console = Console(quiet=True)
    given = {**SMALL, "data_dir": folder, **options}
    return engine.run(JOB, console=console, storage=storage, **given)


@pytest.fixture(scope="module")
def storage(bucket: str) -> str:
    return open_storage(bucket).child("store").uri


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def result(one_ray: str, storage: str, folder: Path) -> RunResult:
    return run(storage, folder, trials=3)


def test_all_of_a_run_is_in_the_store(result: RunResult, storage: str) -> None:
    assert result.folder.startswith("s3://bucket/runs/store/runs/digits_mlp/far?")
    names = open_storage(storage).names()
    below = "runs/digits_mlp/far"
    expected = {f"{below}/run.json", f"{below}/study.journal", f"{below}/report/index.html"}
    assert expected | {"leaderboards/digits_mlp/far.parquet"} <= set(names)
    assert f"{below}/{LEASE}" not in names
    for trial in ("trial-0000", "trial-0002", "winner"):
        assert any(name.startswith(f"{below}/tensorboard/{trial}/") for name in names)
    assert not [name for name in names if name.endswith(".pt")]


def test_what_it_found_is_read_by_uri(result: RunResult, storage: str) -> None:
    assert read_rows(storage) == (result.rows, [])
    assert read_rows(result.leaderboard) == (result.rows, [])
    assert result.model is not None
    model = trainables.load_model(result.model)
    assert model.card.dataset == "digits"


def test_a_row_is_rebuilt_and_reproduced(result: RunResult, storage: str) -> None:
    part = open_storage(storage)
    part.remove("leaderboards/digits_mlp/far.parquet")
    assert rebuild(result.folder) == result.leaderboard
    assert read_rows(storage).rows == result.rows
    verdict = reproduce(find_row("far:0", storage), storage)
    assert all(seed.is_equal for seed in verdict.seeds)


def test_a_run_goes_on_from_the_store(result: RunResult, storage: str, folder: Path) -> None:
    again = run(storage, folder, trials=5)
    assert {row.num_trials for row in again.rows} == {5}
    before = {r.trial_number: r.test_accuracy_per_seed for r in result.rows if not r.ensemble}
    after = {row.trial_number: row.test_accuracy_per_seed for row in again.rows}
    assert before.items() <= after.items()
    winners = [
        name
        for name in open_storage(again.folder).names()
        if name.startswith("tensorboard/winner/events")
    ]
    assert len(winners) == 1, "an earlier session's pictures are replaced"


def test_tensorboard_reads_the_store(result: RunResult, bucket: str) -> None:
    code = (
        "from tensorboard.backend.event_processing.event_accumulator import EventAccumulator as E\n"
        "events = E('s3://bucket/runs/store/runs/digits_mlp/far/tensorboard/trial-0000')\n"
        "events.Reload()\n"
        "print([e.step for e in events.Scalars('accuracy/val')])\n"
    )
    address = bucket.partition("endpoint_override=")[2].partition("&")[0]
    shown = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, **CREDENTIALS, "S3_ENDPOINT": f"http://{address}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.strip() == "[1, 2]"


@pytest.fixture
def place(bucket: str, tmp_path: Path) -> Storage:
    return open_storage(bucket).child(tmp_path.name)


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "RENEW_SECONDS", 0.2)
    monkeypatch.setattr(leases, "SETTLE_SECONDS", 0.1)


@pytest.mark.usefixtures("_quick")
def test_a_run_that_is_alive_cannot_be_started_twice(place: Storage) -> None:
    with lease(place, "far"):
        alive = rf"--run-id = 'far': that run is alive .*\"pid\": {os.getpid()}"
        with pytest.raises(RequestError, match=alive), lease(place, "far"):
            pass
    assert place.names() == []


@pytest.mark.usefixtures("_quick")
def test_a_run_that_is_interrupted_gives_its_lease_back(place: Storage) -> None:
    with pytest.raises(KeyboardInterrupt), lease(place, "far"):
        raise KeyboardInterrupt
    assert place.names() == []


@pytest.mark.usefixtures("_quick")
def test_the_lease_of_a_dead_process_is_taken_over(
    place: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "DEAD_AFTER_SECONDS", 1.5)
    place.write(LEASE, json.dumps({"host": "gone", "pid": 1, "token": "x"}).encode())
    with lease(place, "far"):
        assert json.loads(place.read(LEASE))["pid"] == os.getpid()


@pytest.mark.usefixtures("_quick")
def test_who_loses_the_lease_stops(place: Storage) -> None:
    stopped = []
    before = signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    try:
        with lease(place, "far") as is_held:
            assert is_held()
            place.write(LEASE, json.dumps({"token": "another"}).encode())
            assert not is_held()
            deadline = time.monotonic() + 60
            while not stopped and time.monotonic() < deadline:
                time.sleep(0.05)
        assert stopped
        assert json.loads(place.read(LEASE))["token"] == "another"
    finally:
        signal.signal(signal.SIGTERM, before)


@dataclass(frozen=True)
class Torn(LocalStorage):
    """A place whose first read of each file meets a write: pyarrow gives the new content with bytes
    from anywhere behind it where the old one was longer."""

    seen: set[str] = field(default_factory=set)

    def read(self, name: str) -> bytes:
        is_torn = name not in self.seen
        self.seen.add(name)
        return super().read(name) + (b"\x00\xf0" if is_torn else b"")


@pytest.mark.usefixtures("_quick")
def test_a_lease_that_is_read_while_it_is_replaced_is_read_again(tmp_path: Path) -> None:
    LocalStorage(tmp_path).write(LEASE, json.dumps({"token": "another"}).encode())
    assert leases._token(Torn(tmp_path)) == "another"
    LocalStorage(tmp_path).write(LEASE, b"{")
    with pytest.raises(StorageError, match="lease: it is damaged"):
        leases._token(LocalStorage(tmp_path))


def test_a_run_json_that_is_read_while_it_is_replaced_is_read_again(tmp_path: Path) -> None:
    info = make_info()
    RunFolder(LocalStorage(tmp_path), tmp_path).write_info(info)
    assert RunFolder(Torn(tmp_path), tmp_path).read_info() == info
    LocalStorage(tmp_path).write(INFO, b"{")
    with pytest.raises(RequestError, match=r"run\.json: it is damaged"):
        RunFolder(LocalStorage(tmp_path), tmp_path).read_info()


def test_a_storage_that_cannot_be_written_is_a_wrong_request(bucket: str, folder: Path) -> None:
    absent = bucket.replace("bucket/", "no-such-bucket/")
    with pytest.raises(RequestError, match=r"no-such-bucket.* cannot be written"):
        run(absent, folder)
    with pytest.raises(RequestError, match=r"--storage = 'nothing://x': "):
        run("nothing://x", folder)


def test_a_refused_request_leaves_nothing_in_the_store(bucket: str, folder: Path) -> None:
    place = open_storage(bucket).child("refused")
    with pytest.raises(RequestError, match="there is no folder"):
        run(place.uri, folder, dataset=f"folder:{folder / 'missing'}")
    assert place.names() == []


def test_a_store_out_of_reach_is_told_and_not_traced(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    away = "s3://bucket/x?endpoint_override=127.0.0.1:1&scheme=http"
    with ThreadPoolExecutor() as at_once:  # each gives up after seconds
        searched = at_once.submit(run, away, folder)
        weights = away.replace("x?", "x.safetensors?")
        pretrained = at_once.submit(load_pretrained, weights, "resnet18")
        shown = at_once.submit(commands.main, ["leaderboard", away])
        predicted = at_once.submit(commands.main, ["predict", away, "image.png"])
    with pytest.raises(RequestError, match="--storage: it cannot be read"):
        searched.result()
    with pytest.raises(ConfigError, match="--weights = 's3://bucket"):
        pretrained.result()
    assert (shown.result(), predicted.result()) == (2, 2)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("error: s3://bucket") for line in lines)
