"""Translate between Ray Tune's loop and a source of tasks: JSON on that side, types on this one."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from trainables.trials.report import Report, report_from_json, report_to_json
from trainables.trials.task import Task, task_from_json, task_to_json
from tune_jobs.engine.stages.source import TrialSource

REPORT = "report"
"""The one key of what a worker reports to Ray Tune. Its value is the report as a JSON text, since
Ray Tune flattens a dict."""

MOST_NODES_LOST = 20
"""A trial that has lost so many nodes fails: it may bring them down itself, by its memory, say."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Says why an attempt at a task came to no end."""

    cause: str
    is_node_lost: bool = False


def pack_report(report: Report) -> dict[str, str]:
    """Pack a report as a worker gives it to Ray Tune."""
    return {REPORT: json.dumps(report_to_json(report))}


class Bridge:
    """Answers Ray Tune's searcher, scheduler and callback, each of them a few lines long.

    A failed task is started again by this class. Ray could do that by itself, but it counts a lost
    node as a failure of its trials, and as two where the trial was about to begin in a process that
    an earlier one had left.

    Args:
        max_failures: A task that has failed more often, or lost `MOST_NODES_LOST` nodes, is not
            started again.

    Attributes:
        error: The source's first exception, which ends the run.
    """

    def __init__(self, source: TrialSource, *, max_failures: int) -> None:
        self.error: Exception | None = None
        self._source = source
        self._max_failures = max_failures
        self._last_failures: dict[str, Failure] = {}  # this and the next two are by a task's name
        self._failures: Counter[str] = Counter()
        self._nodes_lost: Counter[str] = Counter()
        self._again: list[Task] = []

    @property
    def finished(self) -> bool:
        with self._keeping_errors():
            return not self._again and self._source.finished

    def next_config(self) -> dict[str, Any] | None:
        """Return the next task as JSON, one that is to be tried again first; `None`: none now."""
        with self._keeping_errors():
            task = self._again.pop(0) if self._again else self._source.next_task()
            return None if task is None else task_to_json(task)

    def on_start(self, config: Mapping[str, Any]) -> None:
        with self._keeping_errors():
            self._source.on_start(task_from_json(config))

    def on_report(self, config: Mapping[str, Any], result: Mapping[str, Any]) -> bool:
        """Pass a report on; return whether the trial goes on."""
        with self._keeping_errors():
            report = report_from_json(json.loads(result[REPORT]))
            return self._source.on_report(task_from_json(config), report)

    def on_attempt_failed(self, config: Mapping[str, Any], failure: Failure) -> None:
        """Remember why an attempt failed, until Ray says that the trial has."""
        self._last_failures[config["name"]] = failure

    def on_failed(self, config: Mapping[str, Any]) -> None:
        """Have the task tried again, unless it has failed too often."""
        task = task_from_json(config)
        failure = self._last_failures.pop(task.name, Failure("unknown"))
        self._failures[task.name] += not failure.is_node_lost
        self._nodes_lost[task.name] += failure.is_node_lost
        with self._keeping_errors():
            if self._nodes_lost[task.name] >= MOST_NODES_LOST:
                cause = f"{failure.cause}, for the {MOST_NODES_LOST}th time"
                self._source.on_failure(task, cause)
            elif self._failures[task.name] > self._max_failures:
                self._source.on_failure(task, failure.cause)
            else:
                self._again.append(task)

    @contextmanager
    def _keeping_errors(self) -> Iterator[None]:
        """Keep the source's first exception: Ray Tune makes a text of what passes through it."""
        try:
            yield
        except Exception as error:
            self.error = self.error or error
            raise
