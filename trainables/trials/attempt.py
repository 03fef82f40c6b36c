"""One attempt at a trial: where the one before it left off, and who watches it."""

from collections.abc import Sequence
from dataclasses import dataclass

from trainables.trials.checkpoint import Checkpoints
from trainables.trials.watchdog import Watchdog


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """What a trial has for one attempt; the one before it may have been killed at any time.

    Attributes:
        rungs: Epochs at which early stopping looks at the trial: a checkpoint is due there.
        epochs_reported: The last epoch that the record has; 0: none.
    """

    checkpoints: Checkpoints
    watchdog: Watchdog
    rungs: Sequence[int] = ()
    epochs_reported: int = 0
