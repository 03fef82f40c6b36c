"""Count the epochs that a search spent on trials that were never better than a guess."""

from collections.abc import Iterable
from dataclasses import dataclass

from trainables.datasets.errors import counted
from trainables.metrics import EpochMetrics, Metric, compared_by
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
            f"{counted(self.num_trials, 'trial')} that never beat a guess"
        )


@dataclass(frozen=True, slots=True)
class Chance:
    """Tells whether a trial is better than a guess, by what its search optimises.

    Attributes:
        metric: The metric; accuracy where what the search optimises is a metric of the user's.
        value: What is reached on the same images without a look at them.
    """

    metric: Metric
    value: float

    @classmethod
    def of_run(cls, info: RunInfo) -> "Chance | None":
        """Return the chance of a run; `None`: an early version did not record it."""
        metric = compared_by(info.metric)
        value = info.chance.get(metric.figure or "")
        return None if value is None else cls(metric, value)

    def holds(self, epochs: Iterable[EpochMetrics]) -> bool:
        """Return whether no epoch is clearly better than chance.

        Clearly is by a tenth of its value, or of what is left to 1 where this is less: 0.11 for
        0.1, 0.91 for 0.9, and of a loss 0.9 for 1. What is not a number is no success.
        """
        room = 1 - self.value if self.metric.direction == "maximize" else self.value
        level = self.metric.score(self.value) + MARGIN * min(self.value, room)
        found = map(self.metric.on_validation, epochs)
        return not any(self.metric.score(value) > level for value in found)


def count_epochs_at_chance(search: Record, chance: Chance) -> EpochsAtChance:
    """Count over all trials of a search, those that still run included."""
    epochs = [trial.past.epochs for trial in search.trials()]
    wasted = [found for found in epochs if found and chance.holds(found)]
    return EpochsAtChance(
        num_trials=len(wasted),
        num_epochs=sum(map(len, wasted)),
        of_epochs=sum(map(len, epochs)),
    )
