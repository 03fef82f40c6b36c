"""Hold what one attempt at a trial needs: where the attempt before it ended, and who watches it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from trainables.trials.checkpoint import Checkpoints
from trainables.trials.watchdog import Watchdog


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """Holds what a trial needs for one attempt; an earlier one may have been killed at any time.

    Attributes:
        checkpoints: The trial's checkpoints, earlier attempts' included.
        watchdog: Ends the process if the attempt makes no progress.
        rungs: Epochs at which early stopping looks at the trial: a checkpoint is due there.
        epochs_reported: The last epoch that the record has; 0: none.
        goes_on_in: Takes a checkpoint of the last epoch, from which another trial goes on.
    """

    checkpoints: Checkpoints
    watchdog: Watchdog
    rungs: Sequence[int] = ()
    epochs_reported: int = 0
    goes_on_in: Checkpoints | None = None

    def in_fold(self, number: int) -> "Attempt":
        """Return the attempt at one of the models of a trial that has one per fold."""
        place = self.checkpoints.place.child(f"fold-{number}")
        return replace(self, checkpoints=Checkpoints(place))
