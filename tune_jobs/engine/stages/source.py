"""Define the contract between the loop that runs trials and the source that keeps the record."""

from typing import Protocol

from trainables.trials.report import Report
from trainables.trials.task import Task


class TrialSource(Protocol):
    """Gives out tasks and decides on their reports. It keeps the record; the loop keeps nothing."""

    @property
    def finished(self) -> bool:
        """Return whether no further task will come, and none is running."""
        ...

    def next_task(self) -> Task | None:
        """Return the next task, or `None` where there is none at present."""
        ...

    def on_start(self, task: Task) -> None:
        """Hear that the task has room and a process: for the first time, or again."""
        ...

    def on_report(self, task: Task, report: Report) -> bool:
        """Record a report, then decide: `False` ends the task, whose end is recorded by then.

        An exception ends the run, and leaves the task unfinished.
        """
        ...

    def on_failure(self, task: Task, cause: str) -> None:
        """Record that the task ended with an error, after all its attempts."""
        ...
