"""One run, interrupted in every way, each time amid an epoch of a trial that does not react: by
Ctrl-C once and twice, by SIGTERM with SIGKILL behind it. Each time it is consistent and resumable,
and in the end it is what it would have been."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from optuna.trial import TrialState

from tests.faults.runs import Driver, Runs, wait_until

SEARCH = ("--epochs", "6", "--trials", "2", "--grace-period", "1", "--reduction-factor", "2")
TIMES = 100


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, data: Path, address: str) -> Runs:
    """Its first trial hangs in the fourth of six epochs; there is a checkpoint of the second."""
    marks = str(tmp_path_factory.mktemp("marks"))
    faults = {"0": {"folder": marks, "fault": "hang", "at_epoch": 4, "times": TIMES}}
    storage = tmp_path_factory.mktemp("interrupted")
    return Runs(storage=storage, data=data, address=address, faults=faults)


Interrupt = Callable[[Callable[[Driver], None]], Driver]


@pytest.fixture
def interrupt(runs: Runs) -> Interrupt:
    def interrupt(how: Callable[[Driver], None]) -> Driver:
        """Begin or continue the run, then stop its driver amid the epoch."""
        recorded = runs.recorded()
        before = set(runs.marks(0, "fault-*"))
        driver = runs.start(*SEARCH)
        [mark] = driver.until(lambda: set(runs.marks(0, "fault-*")) - before)
        how(driver)
        driver.wait()
        assert "Traceback" not in driver.said
        assert runs.recorded().startswith(recorded)
        assert [trial.state for trial in runs.trials()] == [TrialState.RUNNING]
        assert list(runs.trials()[0].intermediate_values) == [1, 2, 3]
        worker = int(mark.name.removeprefix("fault-"))
        wait_until(lambda: not is_alive(worker))  # a trial does not outlive its run
        return driver

    return interrupt


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"


def test_ctrl_c(interrupt: Interrupt) -> None:
    driver = interrupt(lambda driver: driver.kill(signal.SIGINT))
    assert driver.process.returncode == 130
    assert "--resume run" in driver.said


def test_ctrl_c_in_a_terminal(
    runs: Runs, interrupt: Interrupt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The terminal sends it to all processes of the group, those of a local Ray too."""
    monkeypatch.setattr(runs, "address", None)
    driver = interrupt(lambda driver: os.killpg(driver.process.pid, signal.SIGINT))
    assert driver.process.returncode == 130
    assert "--resume run" in driver.said


@pytest.mark.parametrize("pause", [0.0, 0.05, 0.5])
def test_ctrl_c_twice(interrupt: Interrupt, pause: float) -> None:
    def twice(driver: Driver) -> None:
        driver.kill(signal.SIGINT)
        time.sleep(pause)
        driver.kill(signal.SIGINT)

    driver = interrupt(twice)
    assert driver.process.returncode == 130
    assert "--resume run" in driver.said


@pytest.mark.parametrize("pause", [0.0, 3.0])
def test_sigterm_and_then_sigkill(interrupt: Interrupt, pause: float) -> None:
    def as_ray_job_stop(driver: Driver) -> None:
        driver.kill(signal.SIGTERM)
        time.sleep(pause)
        driver.kill(signal.SIGKILL)

    driver = interrupt(as_ray_job_stop)
    assert driver.process.returncode in (130, -9)
    if pause:
        assert "--resume run" in driver.said


def test_then_it_goes_on_to_its_end(runs: Runs) -> None:
    for number in range(TIMES):
        (Path(runs.faults["0"]["folder"]) / f"fault-{number}.enough").touch()
    sessions = len(runs.drivers)
    runs.run(*SEARCH)
    first, second = runs.trials()
    assert first.state == TrialState.COMPLETE
    assert second.state.is_finished()
    attempts = first.user_attrs.get("resumed", [])
    assert attempts == [{"resumed_from": 2, "corrupt": ""}] * sessions
    assert not [key for key in first.user_attrs if key.startswith("repeated")]
    sequence = [f["sequence"] for r in runs.reports()["faulty/run"].values() for f in r]
    assert sequence == list(range(1, len(sequence) + 1))
