"""The contract between the loop that runs trials and whoever keeps the record."""

from typing import Protocol

from trainables.trials.report import Report
from trainables.trials.task import Task


class TrialSource(Protocol):
    """What is run. It keeps the record; the loop keeps nothing."""

    @property
    def finished(self) -> bool:
        """Whether there will be no further task, and none is running."""
        ...

    def next_task(self) -> Task | None:
        """The next task; `None`: there is none at present."""
        ...

    def on_start(self, task: Task) -> None:
        """Called when the task has room and a process: for the first time, or again."""
        ...

    def on_report(self, task: Task, report: Report) -> bool:
        """Record a report, then decide: `False` ends the task, whose end is then recorded. What
        this raises ends the run, and leaves the task unfinished."""
        ...

    def on_failure(self, task: Task, cause: str) -> None:
        """Record that the task ended with an error, after all its attempts."""
        ...
