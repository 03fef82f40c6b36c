"""Ctrl-C once and twice, SIGTERM with SIGKILL behind it: stopped, consistent, resumable."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.runs import Driver, Runs, pid_of

EPOCHS = ("--epochs", "6", "--trials", "2", "--grace-period", "1", "--reduction-factor", "2")


@pytest.fixture
def begin(
    make_runs: Callable[..., Runs], tmp_path: Path
) -> Callable[[str | None], tuple[Runs, Driver]]:
    def begin(address: str | None) -> tuple[Runs, Driver]:
        """A run in the fourth of its first trial's six epochs."""
        folder = tmp_path / "marks"
        folder.mkdir()
        runs = make_runs(address, {"0": {"folder": str(folder), "step_seconds": 0.05}})
        driver = runs.start(*EPOCHS)
        driver.until(lambda: runs.marks(0, "epoch-4.*"))
        return runs, driver

    return begin


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"


def check_resumes(runs: Runs, recorded: bytes) -> None:
    """What was recorded stays; the trial goes on from the checkpoint at its last rung."""
    runs.run(*EPOCHS)
    assert runs.recorded().startswith(recorded)
    first, _ = runs.trials()
    assert first.user_attrs["resumed"][-1] == {"resumed_from": 2, "corrupt": ""}
    assert [t.state.is_finished() for t in runs.trials()] == [True, True]
    sequence = [f["sequence"] for r in runs.reports()["faulty/run"].values() for f in r]
    assert sequence == list(range(1, len(sequence) + 1))


def test_ctrl_c_in_a_terminal(begin: Callable[[str | None], tuple[Runs, Driver]]) -> None:
    """The terminal sends it to all processes of the group, those of a local Ray too."""
    runs, driver = begin(None)
    [mark] = runs.marks(0, "epoch-4.*")
    os.killpg(driver.process.pid, signal.SIGINT)
    assert driver.wait() == 130, driver.said
    assert "--resume run" in driver.said
    assert "Traceback" not in driver.said
    deadline = time.monotonic() + 60
    while is_alive(pid_of(mark)):
        assert time.monotonic() < deadline, "a trial outlives its run"
        time.sleep(0.1)
    recorded = runs.recorded()
    assert recorded == runs.journal().read_bytes()
    check_resumes(runs, recorded)


@pytest.mark.parametrize("pause", [0.0, 0.05, 0.5])
def test_ctrl_c_twice(
    begin: Callable[[str | None], tuple[Runs, Driver]], address: str, pause: float
) -> None:
    runs, driver = begin(address)
    driver.kill(signal.SIGINT)
    time.sleep(pause)
    driver.kill(signal.SIGINT)
    assert driver.wait() == 130, driver.said
    assert "--resume run" in driver.said
    check_resumes(runs, runs.recorded())


@pytest.mark.parametrize("pause", [0.0, 3.0])
def test_sigterm_and_then_sigkill(
    begin: Callable[[str | None], tuple[Runs, Driver]], address: str, pause: float
) -> None:
    runs, driver = begin(address)
    driver.kill(signal.SIGTERM)
    time.sleep(pause)
    driver.kill(signal.SIGKILL)
    status = driver.wait()
    if pause:
        assert "--resume run" in driver.said
        assert status in (130, -9)
    check_resumes(runs, runs.recorded())
