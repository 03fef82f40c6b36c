"""Define what a worker is asked to do: to probe the machine, or to train a trial."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from trainables.config import Configuration, Precision, Runtime
from trainables.config.validation import from_json, to_json


class Stage(StrEnum):
    """Names the stage of a run that a trial belongs to."""

    SEARCH = "search"
    RETRAIN = "retrain"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeTask:
    """Asks a worker in which arithmetic a run's first configuration trains fastest.

    Attributes:
        config: The configuration to measure, complete.
        proposals: Configurations sampled from the space, one of which, at least, must be
            trainable.
        precision: The precision to train in; `None` takes the fastest.
        defaults: The defaults of several architectures, whose costs are to be measured.
    """

    config: Configuration
    proposals: tuple[Configuration, ...]
    precision: Precision | None
    defaults: tuple[Configuration, ...] = ()

    @property
    def name(self) -> str:
        return "probe"


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialTask:
    """Asks a worker to train a configuration, and to report every epoch.

    Attributes:
        number: The trial's number in its stage's study.
        name: The name of the trial's folder, unique in the run.
        seed: Seeds the weights and all random draws.
        epochs_reported: The last epoch that the record has already; 0: none.
        goes_on_as: The name of the trial that goes on from the end of this one; empty: none does.
    """

    stage: Stage
    number: int
    name: str
    seed: int
    config: Configuration
    runtime: Runtime
    epochs_reported: int = 0
    goes_on_as: str = ""


Task = ProbeTask | TrialTask


def task_to_json(task: Task) -> dict[str, Any]:
    return {"kind": type(task).__name__, "name": task.name, **to_json(task)}


def task_from_json(stored: Mapping[str, Any]) -> Task:
    kinds: dict[str, type[ProbeTask] | type[TrialTask]] = {
        cls.__name__: cls for cls in (ProbeTask, TrialTask)
    }
    return from_json(kinds[stored["kind"]], stored)
