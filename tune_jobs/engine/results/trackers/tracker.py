"""Define what a tracker does with a run's record, and what it must know of the run."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from trainables.metrics import EpochMetrics
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.record.recorded_trial import RecordedTrial


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackedRun:
    """Names a run in a tracker.

    Attributes:
        folder: The folder of `--storage`, where a tracker may keep its files; `None`: the storage
            is an object store.
    """

    job: str
    run_id: str
    dataset: str
    folder: Path | None


class Tracker(Protocol):
    """Holds the connection to a tracker, in which each trial of the run is a run of its own.

    All calls come from one thread. Each may raise anything, and is then made again later.
    """

    def begin(self, name: str, trial: RecordedTrial) -> float:
        """Find the trial's run by its name, or make it with the trial's configuration; return the
        last epoch that it has, infinity where it also has the trial's end. It may have the end of
        an earlier trial of this name, which failed and is trained again."""

    def add(self, name: str, trial: RecordedTrial, epochs: Sequence[EpochMetrics]) -> None:
        """Send the metrics of further epochs, in their order."""

    def end(self, name: str, trial: RecordedTrial) -> None:
        """Send the state in which the trial has ended, and the reason."""

    def keep(self, files: Sequence[Path]) -> None:
        """Keep files with the run as a whole, in place of those that it has by their names."""

    def close(self) -> None:
        """Let go of what is open; trials that have not ended stay unfinished."""


def check_installed(name: str) -> None:
    """Refuse, with `RequestError`, a tracker whose client is not installed."""
    found = find_spec(name)
    if found is None or found.origin is None:  # a folder of that name is no package
        raise RequestError(
            f"--log = {name!r}: {name} is not installed: pip install 'tune-jobs[{name}]', where "
            "the command runs"
        )


def redacted(text: str) -> str:
    """Return the first line of a text, without the passwords of the URLs in it."""
    return re.sub(r"//[^/@\s]+@", "//***@", text.strip().partition("\n")[0])
