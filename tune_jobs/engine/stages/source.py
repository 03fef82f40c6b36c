"""The contract between Ray Tune's loop and whoever keeps the record."""

from collections.abc import Mapping
from typing import Any, Protocol


class TrialSource(Protocol):
    """What is run. It keeps the record; Ray keeps nothing."""

    @property
    def finished(self) -> bool:
        """Whether there will be no further trial, and none is running."""
        ...

    def next_trial(self) -> dict[str, Any] | None:
        """The next trial's configuration for the trainable; `None`: there is none at present."""
        ...

    def on_start(self, trial: Mapping[str, Any]) -> None:
        """The trial has room now, and a process: for the first time, or again."""
        ...

    def on_report(self, trial: Mapping[str, Any], figures: Mapping[str, Any]) -> bool:
        """Record a report, then decide: `False` ends the trial, whose end is then recorded."""
        ...

    def on_attempt_failed(self, trial: Mapping[str, Any], cause: str) -> None:
        """The trial's process ended with an error; the trial may be started again. What this
        raises ends the run, and leaves the trial unfinished."""
        ...

    def on_failure(self, trial: Mapping[str, Any], cause: str) -> None:
        """Record that the trial ended with an error."""
        ...
