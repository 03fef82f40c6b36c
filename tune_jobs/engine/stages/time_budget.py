"""Keep a session within `--time-budget`: what is left of it, and what trainings take of that."""

import heapq
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from trainables.config import Configuration
from trainables.metrics import EpochMetrics
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.search.limits import NO_TIME

END_SECONDS = 10.0
"""What comes after the last training: Ray ends, rows are compared, the report is drawn."""

RETRAINING_SECONDS = 1.0
"""What a retraining takes beside its epochs and the look at the test split: building, files."""

RETRAINING_SHARE = 0.5
"""The share of a session's trainings that the search leaves to the retraining, unless two seeds of
those that are always retrained take more."""

MARGIN = 1.1
"""A factor on what is reserved: a training may take longer than those before it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeBudget:
    """Says how long a session of a run may take, from its start to its report.

    Attributes:
        seconds: `None`: as long as it takes.
        began: What `clock` gave when the session began.
        count_slots: Counts the trials that the cluster trains at once.
        retrain_top, retrain_seeds: What the retraining is asked to do, as the options say.
        epoch_seconds: What the probe found that an epoch of an architecture's default takes at the
            least.
    """

    seconds: float | None = None
    began: float = 0.0
    clock: Callable[[], float] = time.monotonic
    count_slots: Callable[[], int] = lambda: 1
    retrain_top: int = 1
    retrain_seeds: int = 1
    epoch_seconds: Mapping[str, float] = field(default_factory=dict)

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


@dataclass(slots=True)
class Pace:
    """Sums up the epochs that a configuration has reported.

    An estimator is fitted anew for each of its epochs, on a share of the images: its training is
    one fit on all of them. The first epoch, which warms up, is left out once there is a second.
    """

    seconds: float = 0.0
    amount: float = 0.0
    num_reports: int = 0
    last_epoch: int = 0
    is_fit: bool = False

    def add(self, metrics: EpochMetrics) -> None:
        if self.num_reports == 1:
            self.seconds = self.amount = 0.0
        self.seconds += metrics.seconds
        self.amount += metrics.train_fraction or 1.0
        self.num_reports += 1
        self.last_epoch = metrics.epoch
        self.is_fit = metrics.train_fraction is not None

    @property
    def epoch_seconds(self) -> float:
        return self.seconds / self.amount

    def training(self, epochs: int) -> float:
        return self.epoch_seconds * (1 if self.is_fit else epochs)


class TrainingTimes:
    """Estimates what trainings take, from the epochs that the record has.

    What nothing is known of is taken to take no time.

    Args:
        epochs: A trial's full budget.
        measured: What an epoch of an architecture's default takes at the least.
    """

    def __init__(self, epochs: int, measured: Mapping[str, float]) -> None:
        self._epochs = epochs
        self._measured = measured
        self._paces: dict[int, Pace] = {}
        self._architectures: dict[int, str] = {}

    def begin(self, number: int, config: Configuration) -> None:
        """Hear of a trial of the search."""
        self._architectures[number] = config["architecture"]

    def take(self, number: int, metrics: EpochMetrics) -> None:
        """Take an epoch of a trial of the search, or of its configuration in the retraining."""
        self._paces.setdefault(number, Pace()).add(metrics)

    def expected(self, architecture: str | None, but: int | None = None) -> float:
        """Return the seconds of a training of this architecture; `None`: of any.

        Args:
            but: A trial that does not count.
        """
        known = [
            pace.training(self._epochs)
            for number, pace in self._paces.items()
            if architecture in (None, self._architectures.get(number)) and number != but
        ]
        if known:
            return fmean(known)
        return self._epochs * self._measured.get(architecture or "", 0.0)

    def knows(self, architecture: str | None) -> bool:
        """Return whether a trial of this architecture has reported; `None`: of any."""
        return any(architecture in (None, self._architectures.get(n)) for n in self._paces)

    def training(self, number: int) -> float:
        """Return the seconds of a whole training of a trial's configuration."""
        if number in self._paces:
            return self._paces[number].training(self._epochs)
        return self.expected(self._architectures.get(number))

    def rest(self, number: int) -> float:
        """Return the seconds that a running trial still takes to its end.

        Its first epoch, which warms up, says no more than others of its architecture do.
        """
        pace = self._paces[number]
        training = pace.training(self._epochs)
        others = self.expected(self._architectures.get(number), but=number)
        if pace.num_reports == 1 and others:
            training = min(training, others)
        return training if pace.is_fit else training * (1 - pace.last_epoch / self._epochs)

    def retraining(self, number: int) -> float:
        """Return the seconds of a retraining of a trial's configuration."""
        return self.retraining_of(self.training(number))

    def retraining_of(self, training: float) -> float:
        """Return the seconds of a retraining. The look at the test split counts as an epoch."""
        return training * (1 + 1 / self._epochs) + RETRAINING_SECONDS


class SearchTime:
    """Says which trainings a search has time for: the rest of it is the retraining's.

    Reserved is what one seed of each default takes, and all seeds of the published ones, of the
    best default and of the `retrain_top` best trials. Where that is more than the retraining's
    share, it is the share, or what two seeds take, with the best trial alone.

    Args:
        record: That of the search, which may have trials of earlier sessions.
        epochs: A trial's full budget.
    """

    def __init__(self, budget: TimeBudget, record: Record, epochs: int) -> None:
        self.times = TrainingTimes(epochs, budget.epoch_seconds)
        self._budget = budget
        self._record = record
        self._share = RETRAINING_SHARE * budget.left()
        for trial in record.trials():
            if trial.config:
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
        if self._budget.seconds is None:
            return
        for trial in self._record.trials():
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

    def suffices_for(self, architecture: str | None, *, is_default: bool = False) -> bool:
        """Return whether a trial of this architecture can end, and be retrained if it is the best
        one; `None`: one of any.

        Args:
            is_default: It is retrained in any case.
        """
        if self._budget.seconds is None:
            return True
        training = self.times.expected(architecture)
        reserved = self._reserved([self.times.retraining_of(training)], is_default=is_default)
        return training <= self._budget.left() - reserved

    def suffices_to_end(self, number: int) -> bool:
        """Return whether a running trial can end."""
        return self._budget.seconds is None or self.times.rest(number) <= self.left()

    def _reserved(self, coming: Sequence[float], *, is_default: bool = False) -> float:
        """Return the seconds that are the retraining's.

        Args:
            coming: What the retraining of a trial takes that may become the best one.
        """
        if self._budget.seconds is None:
            return 0.0

        def seconds(numbers: Sequence[int]) -> list[float]:
            return [self.times.retraining(number) for number in numbers]

        published, defaults = seconds(self._published), seconds(self._defaults)
        leading = seconds([n for n in self._best if n in self._defaults][:1])
        references = {*self._published, *self._defaults}
        searched = seconds([n for n in self._best if n not in references])
        if is_default:
            defaults, leading = [*defaults, *coming], [*coming]
        else:
            searched = [*coming, *searched]
        first = [*defaults, *published]

        def wall(seeds: int, top: int) -> float:
            again = [*leading, *published] * (seeds - 1)
            return self._budget.wall([*first, *again, *(searched or first)[:top] * seeds])

        num_seeds, top = self._budget.retrain_seeds, self._budget.retrain_top
        return MARGIN * max(wall(min(2, num_seeds), 1), min(wall(num_seeds, top), self._share))
