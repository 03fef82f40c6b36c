"""What all trials of a run are told besides their task."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ray

from trainables.storage import Storage

if TYPE_CHECKING:
    from trainables.trials.inputs import TrialInputs


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialSettings:
    """How all trials of a run train.

    Attributes:
        inputs: Ray's reference to the `TrialInputs`.
        rungs: Epochs at which early stopping looks at a trial.
        checkpoints: Where a trial keeps its files, below its own name.
        timeout_seconds: After so long without progress a trial's process ends itself.
        workers: Processes that train a trial; each has a bundle of its placement group.
        gpus: What each of them has.
    """

    inputs: Any
    rungs: tuple[int, ...]
    checkpoints: Storage
    timeout_seconds: float | None
    workers: int = 1
    gpus: float = 1.0

    def fetch(self) -> "TrialInputs":
        """The shared objects themselves; their arrays stay in the object store."""
        inputs: TrialInputs = ray.get(self.inputs)
        return inputs
