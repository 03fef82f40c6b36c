"""Storage that is full, cannot be written, or is shared: named errors, and nothing mixed."""

import json
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from optuna.trial import TrialState

from tests.faults.conftest import StartCluster
from tests.faults.runs import Runs, end_of
from trainables.storage import open_storage
from tune_jobs.engine.results.leaderboard import read_rows

if TYPE_CHECKING:
    from moto.server import ThreadedMotoServer

SEARCH = (
    *("--epochs", "3", "--trials", "4", "--grace-period", "1", "--reduction-factor", "2"),
    *("--max-failures", "0"),
)


@pytest.fixture
def no_ray() -> Iterator[str]:
    """The address of something that answers, and is no Ray: no run can join it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


class Mounts:
    """File systems of a given size, unmounted at the end."""

    def __init__(self) -> None:
        self._made: list[Path] = []

    def mount(self, folder: Path, size: str, *options: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        how = ",".join((f"size={size}", *options))
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", how, "tmpfs", folder], capture_output=True, check=False
        )
        if done.returncode:
            pytest.skip(f"NOT TESTED, a file system cannot be mounted: {done.stderr.decode()}")
        self._made.append(folder)

    def unmount(self) -> None:
        for folder in reversed(self._made):
            subprocess.run(["umount", "--lazy", folder], check=True)
            with suppress(OSError):  # what the test has beside the mount stays
                folder.rmdir()


@pytest.fixture
def mounts() -> Iterator[Mounts]:
    mounts = Mounts()
    yield mounts
    mounts.unmount()


FILLER = "filler"


def fill(folder: Path) -> None:
    with suppress(OSError), (folder / FILLER).open("wb", buffering=0) as rest:
        while True:
            rest.write(bytes(4096))


PLACES = {
    "TensorBoard": "tensorboard",
    "checkpoint": "checkpoints",
    "journal": ".",
    "retrained model": "checkpoints/retrain-0000-seed-1",
    "exported model": "models",
    "leaderboard": "../../../leaderboards",
    "report": "report",
}
"""Below a run's folder, in the order in which a run comes to them."""


def test_no_room_left(make_runs: Callable[..., Runs], address: str, mounts: Mounts) -> None:
    """One run, which finds one place after the other full."""
    runs = make_runs(address, {"*": {"padding": 20_000, "step_seconds": 0.02}})
    folders = {name: (runs.folder() / below).resolve() for name, below in PLACES.items()}
    for folder in sorted(folders.values()):  # what is above others, first
        mounts.mount(folder, "8m")
    for name, folder in folders.items():
        if name != "journal":
            fill(folder)
    for name, folder in folders.items():
        recorded, size = runs.recorded(), runs.size()
        driver = runs.start(*SEARCH)
        if name == "journal":
            driver.until(lambda: runs.size() > size)  # noqa: B023
            fill(folder)
        assert driver.wait() == 1, f"{name}: {driver.said}"
        assert "No space left on device" in driver.said, name
        assert "(make room, say), then resume" in driver.said, name
        assert "--resume run" in driver.said, name
        assert "Traceback" not in driver.said, f"{name}: {driver.said}"
        assert runs.recorded().startswith(recorded), name
        begun = runs.trials() if runs.recorded() else []
        ends = [end_of(trial) for trial in begun if trial.state.is_finished()]
        assert set(ends) <= {"full budget", "stopped early"}, f"{name}: no trial fails of it"
        (folder / FILLER).unlink()
    runs.run(*SEARCH)
    assert runs.recorded().startswith(recorded)
    assert len(runs.trials()) == 4
    assert all(trial.state.is_finished() for trial in runs.trials())
    assert not read_rows(runs.storage).warnings
    assert len(list((runs.folder() / "models").glob("retrain-*.safetensors"))) == 1
    assert not [file for file in runs.storage.rglob("*") if ".tmp" in file.name]


def test_a_full_folder_of_temporary_files_is_not_blamed_on_the_storage(
    make_runs: Callable[..., Runs], mounts: Mounts
) -> None:
    """A retrained model, which is written there first, finds no room; then Ray, as it starts.

    The path is short: Ray's sockets lie below it.
    """
    folder = Path(tempfile.mkdtemp(prefix="full-"))
    mounts.mount(folder, "64m")
    runs = make_runs(None, {"*": {"padding": 20_000, "step_seconds": 0.02}})
    driver = runs.start(*SEARCH, TMPDIR=str(folder))
    driver.until(lambda: "first report" in driver.said)
    fill(folder)
    assert driver.wait() == 1, driver.said
    assert f"a worker could not write: '{folder}' on " in driver.said
    assert "the folder of temporary files: No space left on device" in driver.said
    assert "--storage =" not in driver.said
    assert "Traceback" not in driver.said
    (folder / FILLER).unlink()
    driver = runs.start(*SEARCH, TMPDIR=str(folder))
    driver.until(lambda: "starting Ray" in driver.said)
    fill(folder)
    assert driver.wait() == 2, driver.said
    assert f"error: TMPDIR = '{folder}': the folder of temporary files cannot be" in driver.said
    assert "Traceback" not in driver.said
    (folder / FILLER).unlink()
    runs.run(*SEARCH, TMPDIR=str(folder))
    assert len(runs.trials()) == 4
    assert not read_rows(runs.storage).warnings


def test_no_room_from_the_start_is_found_before_ray_starts(
    make_runs: Callable[..., Runs], mounts: Mounts, tmp_path: Path, no_ray: str
) -> None:
    runs = make_runs(no_ray)
    mounts.mount(runs.storage, "64k")
    fill(runs.storage)
    driver = runs.run(status=2)
    assert "error: --storage: " in driver.said
    assert "No space left on device" in driver.said
    assert "Traceback" not in driver.said
    mounts.mount(tmp_path / "full", "64k")
    fill(tmp_path / "full")
    (runs.storage / FILLER).unlink()
    driver = runs.run("--data-dir", str(tmp_path / "full"), status=2)
    assert f"the disk of {tmp_path / 'full'}" in driver.said
    assert "Traceback" not in driver.said


def test_a_store_out_of_reach_for_a_while_ends_no_run(
    make_runs: Callable[..., Runs],
    start_cluster: StartCluster,
    bucket: str,
    s3_server: "ThreadedMotoServer",
) -> None:
    storage = open_storage(bucket).child("away").uri
    with start_cluster(head=1) as cluster:
        runs = make_runs(cluster.address, {"*": {"step_seconds": 0.02}})
        driver = runs.start(*SEARCH, "--storage", storage)
        driver.until(lambda: "first report" in driver.said)
        s3_server.stop()
        again = threading.Timer(12, s3_server.start)  # pyarrow itself gives up after six seconds
        again.start()
        status = driver.wait()
        again.join()
    assert status == 0, driver.said
    assert "--storage: trying again" in driver.said
    assert {row.run_id for row in read_rows(storage).rows} == {"run"}


def test_a_storage_that_cannot_be_written_is_refused_before_ray_starts(
    make_runs: Callable[..., Runs], mounts: Mounts, tmp_path: Path, no_ray: str
) -> None:
    (tmp_path / "a file").touch()
    mounts.mount(tmp_path / "read-only", "1m", "ro")
    for storage in ("a file", "read-only"):
        driver = make_runs(no_ray, at=storage).run(status=2)
        assert "error: --storage: " in driver.said
        assert "Traceback" not in driver.said


def test_two_runs_at_once_do_not_mix_and_one_cannot_be_started_twice(
    make_runs: Callable[..., Runs], address: str, tmp_path: Path
) -> None:
    folder = tmp_path / "marks"
    folder.mkdir()
    runs = make_runs(address, {"*": {"folder": str(folder), "step_seconds": 0.02}})
    first = runs.start(*SEARCH, name="first")
    second = runs.start(*SEARCH, "--seed", "1", name="second")
    first.until(lambda: list(folder.glob("epoch-2.*")))
    first.kill(signal.SIGSTOP)  # alive, and as long as it takes
    for words in (("--run-id", "first"), ("--resume", "first")):
        late = runs.start_as(words, *SEARCH)
        assert late.wait() == 2, late.said
        assert "is alive" in late.said
        assert str(first.process.pid) in late.said
    first.kill(signal.SIGCONT)
    assert (first.wait(), second.wait()) == (0, 0), first.said + second.said
    proposals = [[t.params for t in runs.trials(name=name)] for name in ("first", "second")]
    assert [len(p) for p in proposals] == [4, 4]
    assert proposals[0][1:] != proposals[1][1:]
    assert set(runs.reports("first")) == {"faulty/first", "faulty/first/retrain"}
    assert {row.run_id for row in read_rows(runs.storage).rows} == {"first", "second"}


def test_a_trial_that_the_memory_monitor_ends_is_said_to_be(runs: Runs) -> None:
    """A local Ray, whose monitor takes hardly any memory for too much, continues a run."""
    info = runs.folder() / "run.json"
    driver = runs.start(*SEARCH)
    driver.until(lambda: info.exists() and json.loads(info.read_text())["runtime"])  # it has probed
    driver.kill()
    driver.wait()
    runs.address = None
    limits = {"RAY_memory_usage_threshold": "0.001", "RAY_memory_monitor_refresh_ms": "100"}
    driver = runs.run(*SEARCH, status=1, **limits)
    cause = "out of host memory, ended by Ray's memory monitor: run fewer trials at once"
    assert f"4 x {cause}" in driver.said
    assert [trial.state for trial in runs.trials()] == [TrialState.FAIL] * 4
    assert all(end_of(trial).startswith(cause) for trial in runs.trials())
