"""Hold what all trials of a run are told besides their task."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainables.storage import Storage
from trainables.worker.shared import SharedInputs

if TYPE_CHECKING:
    from trainables.trials.inputs import TrialInputs


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialSettings:
    """Says how all trials of a run train.

    Attributes:
        inputs: Leads to the `TrialInputs`.
        rungs: Epochs at which early stopping looks at a trial.
        checkpoints: The place where each trial keeps its files, below its own name.
        timeout_seconds: A trial's process ends itself after this time without progress.
        workers: The number of processes that train a trial; each has a bundle of its placement
            group.
        gpus: The number of GPUs that each of them has, or its share of one.
    """

    inputs: SharedInputs
    rungs: tuple[int, ...]
    checkpoints: Storage
    timeout_seconds: float | None
    workers: int = 1
    gpus: float = 1.0

    def fetch(self) -> "TrialInputs":
        """Return what all trials share, as `SharedInputs.fetch` does."""
        return self.inputs.fetch()
