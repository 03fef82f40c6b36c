"""Keep a session within `--time-budget`: what is left of it, and what trainings take of that."""

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
        """Return in how many seconds the slots do trainings that take these seconds, at the most.

        In whatever order they are given out, none is idle before the last one begins (Graham,
        "Bounds on Multiprocessing Timing Anomalies", 1969).
        """
        slots = self.count_slots()
        return sum(trainings) / slots + max(trainings, default=0.0) * (1 - 1 / slots)


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
        """Return the seconds of a retraining. The look at the test split counts as an epoch."""
        training = self.training(number)
        return training * (1 + 1 / self._epochs) + RETRAINING_SECONDS


class SearchTime:
    """Says which trainings a search has time for: the rest of it is the retraining's.

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
        self.reserve()

    def begin(self, number: int, config: Configuration) -> None:
        self.times.begin(number, config)

    def take(self, number: int, metrics: EpochMetrics) -> None:
        self.times.take(number, metrics)
        self.reserve()

    def left(self) -> float:
        """Return the seconds that the search has left; infinite without a budget."""
        return self._budget.left() - self._reserved

    def suffices_for(self, architecture: str | None, trainings: int = 1) -> bool:
        """Return whether so many trainings of this architecture can end; `None`: of any."""
        left = self.left()
        return left == math.inf or trainings * self.times.expected(architecture) <= left

    def suffices_to_end(self, number: int) -> bool:
        """Return whether a running trial can end."""
        left = self.left()
        return left == math.inf or self.times.rest(number) <= left

    def reserve(self) -> None:
        """Reserve for the retraining what it takes, by what the search has found so far.

        That is one seed of each default, and all seeds of the published ones, of the best default
        and of the `retrain_top` best trials. Where that is more than the retraining's share, it is
        the share, or what two seeds take, with the best trial alone. A default that was stopped
        for lack of time is not expected to be retrained.
        """
        self._reserved = 0.0
        if self._budget.seconds is None:
            return
        known = self._record.trials()
        begun = [t for t in known if t.config and not t.is_left_out and t.end_reason != NO_TIME]
        references = [trial.number for trial in begun if trial.origin != "search"]
        published = [trial.number for trial in begun if trial.origin == "published"]
        best = [trial.number for trial in self._record.best()]
        leading = [n for n in best if n in references and n not in published][:1]
        searched = [n for n in best if n not in references] or references[:1]

        def seconds(seeds: int, top: int) -> float:
            again = [*published, *leading] * (seeds - 1)
            pairs = [*references, *again, *searched[:top] * seeds]
            return self._budget.wall([self.times.retraining(number) for number in pairs])

        num_seeds = self._budget.retrain_seeds
        least = seconds(min(2, num_seeds), 1)
        self._reserved = max(least, min(seconds(num_seeds, self._budget.retrain_top), self._share))
