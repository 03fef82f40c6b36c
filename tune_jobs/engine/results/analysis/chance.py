"""Count the epochs that a search spent on trials that never beat the commonest class."""

from collections.abc import Iterable
from dataclasses import dataclass

from trainables.datasets.errors import counted
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.run_state.info import RunInfo

MARGIN = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class EpochsAtChance:
    """Counts the epochs of trials that stayed at chance, and those of all trials."""

    num_trials: int
    num_epochs: int
    of_epochs: int

    def describe(self) -> str:
        """Write for instance `12 of 240 epochs (5 %), by 7 trials`."""
        share = self.num_epochs / self.of_epochs if self.of_epochs else 0.0
        return (
            f"{self.num_epochs:,} of {counted(self.of_epochs, 'epoch')} ({share:.0%}), by "
            f"{counted(self.num_trials, 'trial')} that never beat the commonest class"
        )


def commonest_accuracy(info: RunInfo) -> float | None:
    """Return what always answering the commonest class reaches on validation; `None`: an early
    version did not record it."""
    return info.majority_class.validation_accuracy if info.majority_class else None


def is_at_chance(val_accuracies: Iterable[float], commonest: float) -> bool:
    """Return whether no accuracy is clearly above that of always answering the commonest class.

    Clearly is by a tenth of that accuracy, or of its error where this is less: 0.11 for 0.1, 0.91
    for 0.9. An accuracy that is not a number is no success.

    Args:
        commonest: What always answering the commonest class reaches on the same images.
    """
    level = commonest + MARGIN * min(commonest, 1 - commonest)
    return not any(accuracy > level for accuracy in val_accuracies)


def count_epochs_at_chance(search: Record, commonest: float) -> EpochsAtChance:
    """Count over all trials of a search, those that still run included."""
    epochs = [trial.past.val_accuracies for trial in search.trials()]
    wasted = [found for found in epochs if found and is_at_chance(found, commonest)]
    return EpochsAtChance(
        num_trials=len(wasted),
        num_epochs=sum(map(len, wasted)),
        of_epochs=sum(map(len, epochs)),
    )
