"""Where a run writes: `<storage>/runs/<job>/<run id>/`, and the facts that it begins with."""

import json
import os
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tune_jobs.engine.errors import RequestError


def retraining_name(trial_number: int, seed: int) -> str:
    return f"retrain-{trial_number:04d}-seed-{seed}"


@dataclass(frozen=True, slots=True)
class RunFolder:
    path: Path

    @property
    def journal(self) -> Path:
        return self.path / "study.journal"

    @property
    def tensorboard(self) -> Path:
        return self.path / "tensorboard"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def models(self) -> Path:
        return self.path / "models"

    def retraining(self, trial_number: int, seed: int) -> Path:
        """Where a retraining leaves its model and its predictions."""
        return self.checkpoints / retraining_name(trial_number, seed)

    def create(self) -> None:
        """Make the folder; raises `RequestError` where the storage cannot be written."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            probe = self.path / ".writable"
            probe.write_bytes(b"there is room")
            probe.unlink()
        except OSError as error:
            raise RequestError(
                f"--storage: {self.path} cannot be written ({error.strerror}): "
                "give a folder of yours, on a disk with room"
            ) from error

    def drop_checkpoints(self, name: str) -> None:
        """Remove an ended trial's checkpoints; what it exported stays."""
        for pattern in ("*.pt", "*.tmp"):
            for file in (self.checkpoints / name).glob(pattern):
                file.unlink(missing_ok=True)

    def drop_checkpoints_but(self, names: Container[str]) -> None:
        """Remove those of trials that ended as an earlier session died."""
        for folder in self.checkpoints.glob("*"):
            if folder.name not in names:
                self.drop_checkpoints(folder.name)

    def read_hang(self, name: str) -> str | None:
        """Where a trial was when it was ended for making no progress, or `None`."""
        file = self.checkpoints / name / "hang.txt"
        text = file.read_text(errors="replace") if file.exists() else ""
        places = [line.strip() for line in text.splitlines() if line.startswith("  File")]
        if not places:
            return None
        return f"no progress within --trial-timeout; it was at {places[0]}"

    def read_facts(self) -> dict[str, Any] | None:
        """`run.json` of an earlier session, or `None`."""
        file = self.path / "run.json"
        if not file.exists():
            return None
        facts: dict[str, Any] = json.loads(file.read_text())
        return facts

    def write_facts(self, facts: dict[str, Any]) -> None:
        """Write `run.json` whole, under a temporary name first."""
        temporary = self.path / "run.json.tmp"
        with temporary.open("w") as file:
            file.write(json.dumps(facts, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path / "run.json")
