"""Keep a session within `--time-budget`: what is left of it, and what trainings take of that."""

import heapq
import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from trainables.registry import is_estimator
from trainables.trials.report import TrainingCost
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.search.limits import NO_TIME
from tune_jobs.engine.stages.training_times import TrainingTimes

END_SECONDS = 10.0
"""What comes after the last training: Ray ends, rows are compared, the report is drawn."""

RETRAINING_SHARE = 1 / 3
"""The share of a session's trainings that the search leaves to the retraining, unless one seed of
those that are always retrained takes more."""

MARGIN = 1.1
"""A factor on what is reserved: a training may take longer than those before it."""

BUSY = 2.0
"""How many times longer an epoch is taken to be than the probe's steps, where they decide on the
number of epochs. Augmentation, evaluation and other trials come on top: for MobileNetV2 at 224
pixels on two cores it was 1.9 to 2.2 times."""

LEAST_EPOCHS = 3
"""Of fine-tuning: one of the classifier alone, and two of all layers. In fewer hardly more than a
classifier is trained, which is had on frozen features in less time."""

LEAST_SHARE = 1 / 4
"""The share of the full budget that is the least for a network from scratch: cut shorter, it is
hardly better than a smaller one that is trained to its end."""


def least_epochs(architectures: Sequence[str], backbone: str | None, epochs: int) -> dict[str, int]:
    """Return how few epochs each network may be given where time is short; the only one that there
    is as few as there is time for.

    Args:
        backbone: The one that starts from weights.
        epochs: The full budget.
    """
    networks = [name for name in architectures if not is_estimator(name)]
    if len(architectures) == 1:
        return dict.fromkeys(networks, 1)
    from_scratch = max(LEAST_EPOCHS, math.ceil(LEAST_SHARE * epochs))
    return {name: LEAST_EPOCHS if name == backbone else from_scratch for name in networks}


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeBudget:
    """Says how long a session of a run may take, from its start to its report.

    Attributes:
        seconds: `None`: as long as it takes.
        began: What `clock` gave when the session began.
        count_slots: Counts the trials that the cluster trains at once.
        retrain_top, retrain_seeds: What the retraining is asked to do, as the options say.
        costs: What the probe found that the default of an architecture costs at the least.
        num_folds: The number of models that a trial of the search trains.
    """

    seconds: float | None = None
    began: float = 0.0
    clock: Callable[[], float] = time.monotonic
    count_slots: Callable[[], int] = lambda: 1
    retrain_top: int = 1
    retrain_seeds: int = 1
    costs: Mapping[str, TrainingCost] = field(default_factory=dict)
    num_folds: int = 1

    def left(self) -> float:
        """Return the seconds that are left for trainings; infinite without a budget."""
        if self.seconds is None:
            return math.inf
        return self.seconds - END_SECONDS - (self.clock() - self.began)

    def wall(self, trainings: Sequence[float]) -> float:
        """Return in how many seconds the slots do trainings that take these seconds, if the longest
        is given out first."""
        busy = [0.0] * self.count_slots()
        for seconds in sorted(trainings, reverse=True):
            heapq.heappushpop(busy, busy[0] + seconds)
        return max(busy)


class SearchTime:
    """Says which trainings a search has time for: the rest of it is the retraining's.

    Reserved is what one seed of each default takes, and all seeds of the published ones, of the
    best default and of the `retrain_top` best trials. Where that is more than the retraining's
    share, it is the share, or what one seed takes, with the best trial alone: a search of ten
    trainings that leaves half of them to the retraining finds nothing. A default leaves the time
    for one seed of each row alone: the model is worth more than its other seeds.

    Args:
        record: That of the search, which may have trials of earlier sessions.
        epochs: A trial's full budget.
        going_on: The architectures of which the first retraining of a reference goes on from the
            end of its trial in the search: all that is left of it is the look at the test split.
    """

    def __init__(
        self, budget: TimeBudget, record: Record, epochs: int, going_on: Collection[str] = ()
    ) -> None:
        self.times = TrainingTimes(epochs, budget.costs, budget.num_folds)
        self._budget = budget
        self._record = record
        self._going_on = going_on
        self._share = RETRAINING_SHARE * budget.left()
        for trial in record.trials():
            if trial.config and not trial.is_left_out:
                self.times.begin(trial.number, trial.config)
            for metrics in trial.epochs.values():
                self.times.take(trial.number, metrics)
        self.look()

    def look(self) -> None:
        """See in the record what is to be retrained. A default that was stopped for lack of time is
        not expected to be."""
        self._published: list[int] = []
        self._defaults: list[int] = []
        self._best: list[int] = []
        self._trained: set[int] = set()
        if self._budget.seconds is None:
            return
        for trial in self._record.trials():
            if trial.goes_on_with:
                self._trained.add(trial.number)
            if trial.config and not trial.is_left_out and trial.end_reason != NO_TIME:
                self._published += [trial.number] * (trial.origin == "published")
                self._defaults += [trial.number] * (trial.origin == "default")
        self._best = [trial.number for trial in self._record.best()]

    def left(self) -> float:
        """Return the seconds that the search has left; infinite without a budget."""
        return self._budget.left() - self._reserved([])

    def able(self, architectures: Sequence[str | None]) -> list[str | None]:
        """Return the architectures of which the next proposal may be: there is time for it. One of
        which no trial has reported waits for its first one, once there are others."""
        if self._budget.seconds is None:
            return list(architectures)
        known = [name for name in architectures if self.times.knows(name)]
        return [name for name in known or architectures if self.suffices_for(name)]

    def suffices_for(
        self,
        architecture: str | None,
        *,
        is_default: bool = False,
        epochs: int | None = None,
        slowdown: float = 1.0,
    ) -> bool:
        """Return whether a trial of this architecture can end, and be retrained if it is the best
        one; `None`: one of any.

        Args:
            is_default: It is retrained in any case.
            epochs: Of the trial; `None`: as many as others of its architecture have.
            slowdown: How many times longer it is taken to be than is expected.
        """
        if self._budget.seconds is None:
            return True
        training = slowdown * self.times.expected(architecture, epochs)
        retraining = slowdown * self.times.expected_retraining(architecture, epochs)
        if not is_default:
            return training <= self._budget.left() - self._reserved([retraining])
        if architecture in self._going_on:
            retraining = slowdown * self.times.expected_test(architecture, epochs)
        return training <= self._budget.left() - self._reserved_rows([retraining])

    def epochs_that_fit(self, architecture: str, epochs: int, *, least: int) -> int:
        """Return how many epochs of an architecture's default there is time for, at most `epochs`;
        the `least` number also where there is none for these."""
        fit = (
            number
            for number in range(epochs, least - 1, -1)
            if self.suffices_for(architecture, is_default=True, epochs=number, slowdown=BUSY)
        )
        return next(fit, min(least, epochs))

    def suffices_to_end(self, number: int) -> bool:
        """Return whether a running trial can end; a reference may take what further seeds would."""
        if self._budget.seconds is None:
            return True
        is_reference = number in self._published or number in self._defaults
        reserved = self._reserved_rows() if is_reference else self._reserved([])
        return self.times.rest(number) <= self._budget.left() - reserved

    def _reserved(self, coming: Sequence[float]) -> float:
        """Return the seconds that are the retraining's.

        Args:
            coming: What the retraining of a trial takes that may become the best one.
        """
        if self._budget.seconds is None:
            return 0.0
        published, defaults = self._retrainings(self._published), self._retrainings(self._defaults)
        leading = self._retrainings([n for n in self._best if n in self._defaults][:1])
        searched = [*coming, *self._searched()]
        rows = self._rows()

        def wall(seeds: int, top: int) -> float:
            again = [*leading, *published] * (seeds - 1)
            best = (searched or [*defaults, *published])[:top]
            return self._budget.wall([*rows, *again, *best * seeds])

        num_seeds, top = self._budget.retrain_seeds, self._budget.retrain_top
        return MARGIN * max(wall(1, 1), min(wall(num_seeds, top), self._share))

    def _reserved_rows(self, coming: Sequence[float] = ()) -> float:
        """Return the seconds of one seed of each row, with that of a default that comes."""
        return MARGIN * self._budget.wall([*coming, *self._rows(), *self._searched()[:1]])

    def _rows(self) -> list[float]:
        """Return what the first seeds of the references take, unless a trial is yet stopped."""
        return [
            self.times.test(number) if number in self._trained else self.times.retraining(number)
            for number in (*self._published, *self._defaults)
        ]

    def _searched(self) -> list[float]:
        references = {*self._published, *self._defaults}
        return self._retrainings([n for n in self._best if n not in references])

    def _retrainings(self, numbers: Sequence[int]) -> list[float]:
        return [self.times.retraining(number) for number in numbers]
