"""What a worker is asked to do: to probe the machine, or to train a trial."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from trainables.config import Configuration, Precision, Runtime
from trainables.config.validation import from_json, to_json


class Stage(StrEnum):
    """The stage of a run that a trial belongs to."""

    SEARCH = "search"
    RETRAIN = "retrain"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeTask:
    """Measure in which arithmetic a run's first configuration trains fastest, and tell the defaults
    of its architectures.

    Attributes:
        config: The configuration to measure, over its architecture's defaults.
        architectures: Those whose defaults are told.
        epochs: A trial's full budget.
        precision: `None`: the fastest.
    """

    config: Configuration
    architectures: tuple[str, ...]
    epochs: int
    precision: Precision | None

    @property
    def name(self) -> str:
        return "probe"


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialTask:
    """Train a configuration, and report every epoch.

    Attributes:
        number: Of the trial in its stage's study.
        name: Of the trial's folder, unique in the run.
        seed: Of the weights and all draws.
        epochs_reported: What the record has of it already.
    """

    stage: Stage
    number: int
    name: str
    seed: int
    config: Configuration
    runtime: Runtime
    epochs_reported: int = 0


Task = ProbeTask | TrialTask


def task_to_json(task: Task) -> dict[str, Any]:
    return {"kind": type(task).__name__, "name": task.name, **to_json(task)}


def task_from_json(stored: Mapping[str, Any]) -> Task:
    kinds: dict[str, type[ProbeTask] | type[TrialTask]] = {
        cls.__name__: cls for cls in (ProbeTask, TrialTask)
    }
    return from_json(kinds[stored["kind"]], stored)
