"""Drivers as processes of their own, to be killed, and what their runs have left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial

PATIENCE_SECONDS = 1800
"""Never a measure of speed: a process that hangs is not waited for longer."""

TINY = ("--retrain-top", "1", "--retrain-seeds", "1", "--precision", "fp32", "--max-parallel", "1")
JOB_FOLDER = Path(__file__).parent
NAME = "run"


def wait_until(condition: Callable[[], Any]) -> Any:
    """What `condition` returns, once that is true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (result := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.002)
    return result


@dataclass(slots=True)
class Driver:
    """A run's process, the leader of a process group."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        try:
            return self.process.wait(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.stop()
            raise

    def stop(self) -> None:
        """Kill it, and what it has started, if it is still there."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def until(self, condition: Callable[[], Any]) -> Any:
        """What `condition` returns, once that is true."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (result := condition()):
            assert time.monotonic() < deadline, self.said
            assert self.process.poll() is None, self.said
            time.sleep(0.002)
        return result

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")


@dataclass(slots=True)
class Runs:
    """One storage folder, and drivers that write into it.

    Args:
        address: Of the cluster that the drivers connect to; `None`: each starts its own.
        faults: Trial number (or `*`) -> what its `faulty.net.Config` has besides.
    """

    storage: Path
    data: Path
    address: str | None
    faults: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    drivers: list[Driver] = field(default_factory=list)

    def start(self, *arguments: str, name: str = NAME, **environment: str) -> Driver:
        """`--run-id NAME` begins a run or continues it."""
        return self.start_as(("--run-id", name), *arguments, **environment)

    def start_as(self, name: Sequence[str], *arguments: str, **environment: str) -> Driver:
        own = {**os.environ, "FAULTS": json.dumps(self.faults), **self.environment, **environment}
        own.pop("RAY_ADDRESS", None)
        if self.address:
            own["RAY_ADDRESS"] = self.address
        log = self.storage.with_name(f"{self.storage.name}-driver-{len(self.drivers)}.log")
        words = ["-m", "faulty.job", *TINY, "--storage", str(self.storage)]
        words += ["--data-dir", str(self.data), *name]
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, *words, *arguments],
                cwd=JOB_FOLDER,
                env=own,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.drivers.append(Driver(process, log))
        return self.drivers[-1]

    def run(self, *arguments: str, status: int = 0, name: str = NAME, **environment: str) -> Driver:
        driver = self.start(*arguments, name=name, **environment)
        assert driver.wait() == status, driver.said
        return driver

    def stop(self) -> None:
        for driver in self.drivers:
            driver.stop()

    def folder(self, name: str = NAME) -> Path:
        return self.storage / "runs" / "faulty" / name

    def journal(self, name: str = NAME) -> Path:
        return self.folder(name) / "study.journal"

    def size(self) -> int:
        """Bytes of the journal."""
        try:
            return self.journal().stat().st_size
        except FileNotFoundError:
            return 0

    def recorded(self, name: str = NAME) -> bytes:
        """The whole lines of the journal: what has been acknowledged."""
        content = self.journal(name).read_bytes() if self.journal(name).exists() else b""
        return content[: content.rfind(b"\n") + 1]

    def reports(self, name: str = NAME) -> dict[str, dict[int, list[dict[str, Any]]]]:
        """Study -> trial number -> the figures of each report, in the order of the journal."""
        studies: list[str] = []
        numbers: dict[int, tuple[str, int]] = {}
        found: dict[str, dict[int, list[dict[str, Any]]]] = {}
        for line in self.recorded(name).splitlines():
            entry = json.loads(line)
            if entry["op_code"] == CREATE_STUDY:  # again, without effect, as a run is resumed
                if entry["study_name"] not in studies:
                    studies.append(entry["study_name"])
                    found[studies[-1]] = {}
            elif entry["op_code"] == CREATE_TRIAL:
                study = studies[entry["study_id"]]
                numbers[len(numbers)] = (study, len(found[study]))
                found[study][len(found[study])] = []
            elif any(key.startswith("epoch_") for key in entry.get("user_attr", {})):
                study, number = numbers[entry["trial_id"]]
                found[study][number] += entry["user_attr"].values()
        return found

    def trials(self, suffix: str = "", name: str = NAME) -> list[FrozenTrial]:
        """Of the search; of the retraining with the suffix `/retrain`."""
        storage = JournalStorage(JournalFileBackend(str(self.journal(name))))
        return optuna.load_study(study_name=f"faulty/{name}{suffix}", storage=storage).trials

    def marks(self, trial: int | str, pattern: str = "epoch-*") -> list[Path]:
        """What the processes of a trial have left in the folder of its `faulty.net.Config`."""
        return sorted(Path(self.faults[str(trial)]["folder"]).glob(pattern))

    def checkpoints(self) -> Sequence[Path]:
        """Of the first trial."""
        return sorted((self.folder(NAME) / "checkpoints" / "trial-0000").glob("*.pt"))


CREATE_STUDY, CREATE_TRIAL = 0, 4
"""Optuna's codes for entries of its journal."""


def end_of(trial: FrozenTrial) -> str:
    reason: str = trial.user_attrs["end_reason"]
    return reason


def pid_of(mark: Path) -> int:
    """The process that has left `mark`."""
    return int(mark.suffix.removeprefix("."))
