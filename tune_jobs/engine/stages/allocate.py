"""Decide of which architecture the next proposal is, where a space joins several."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from trainables.metrics import LARGEST_LOSS, EpochMetrics, Metric, compared_by
from tune_jobs.engine.record.recorded_trial import RecordedTrial

EXPONENT = 4
"""An architecture whose best trial makes twice the errors of the best one of all is taken to be so
many halvings less likely to lead with its next trial."""

LEAST_ERROR = 1e-3
"""A validation split without a mistake still leaves a trial something to gain."""

LEAST_SECONDS = 1e-3

LEAST_CHANCE = 0.1
"""Where no time is left for the architecture that leads, another one is tried only if its next
trial is at least so likely to lead: the retraining begins the sooner."""


@dataclass(slots=True)
class Training:
    """Sums up what a trial has reported.

    Attributes:
        epochs: Its full budget.
        error: The least one on validation so far; infinite before the first report.
        seconds: Those of the epochs so far.
    """

    architecture: str
    epochs: int
    error: float = math.inf
    seconds: float = 0.0
    last_epoch: int = 0

    def take(self, error: float, metrics: EpochMetrics) -> None:
        self.error = min(self.error, error)
        self.seconds += metrics.seconds
        self.last_epoch = metrics.epoch

    def expected_seconds(self) -> float:
        """Return what the whole training takes, at the pace so far."""
        return self.seconds * self.epochs / self.last_epoch


@dataclass(slots=True)
class Tried:
    """Sums up the trials of an architecture: all, and those that ended with a report."""

    num_trials: int = 0
    least_error: float = math.inf
    seconds: list[float] = field(default_factory=list)


class Allocation:
    """Chooses the architecture that promises most for a second of training.

    The promise of an architecture is (e / own) ** EXPONENT / (n + 1) / seconds, where `own` is the
    least error of its n trials on validation, e the least of all trials, and `seconds` the mean
    training time of those of its trials that ended. The first factor says how far it is behind;
    the second one is the probability that the last of n + 1 equal trials is the best of them. So
    the cheap architectures are tried often, as long as they may still lead.

    Until a trial of it has reported, its cost is not known, and it waits for that; from then on
    what runs counts as it stands: the first trial of a network may take most of the time there is.
    Before any trial has reported, the one with the fewest trials is next.

    Args:
        trials: All trials of the search so far.
        metric: What the search optimises.
    """

    def __init__(self, trials: Iterable[RecordedTrial], metric: Metric) -> None:
        self._metric = compared_by(metric.name)
        self._tried: defaultdict[str, Tried] = defaultdict(Tried)
        self._running: dict[int, Training] = {}
        for trial in trials:
            architecture = trial.params.get("architecture", "")
            self.count(architecture)
            self.begin(trial.number, architecture, trial.config["epochs"] if trial.config else 1)
            for metrics in trial.epochs.values():
                self.take(trial.number, metrics)
            if trial.state.is_finished():
                self.end(trial.number)

    def count(self, architecture: str) -> None:
        """Count a trial, as it enters the record."""
        self._tried[architecture].num_trials += 1

    def begin(self, number: int, architecture: str, epochs: int) -> None:
        """Hear that a trial begins, or goes on."""
        self._running.setdefault(number, Training(architecture, epochs))

    def take(self, number: int, metrics: EpochMetrics) -> None:
        """Take an epoch of a trial that runs."""
        self._running[number].take(_error(self._metric, metrics), metrics)

    def end(self, number: int) -> None:
        """Hear that a trial has ended, or failed before it could begin."""
        ended = self._running.pop(number, None)
        if ended and ended.last_epoch:
            tried = self._tried[ended.architecture]
            tried.least_error = min(tried.least_error, ended.error)
            tried.seconds.append(ended.seconds)

    def choose(self, architectures: Sequence[str]) -> str:
        """Return the architecture of the next proposal.

        Args:
            architectures: Those that the space chooses between, the cheapest first, which wins
                ties.
        """
        known = {name: self._seconds(name) for name in architectures}
        promises = {
            name: self._chance(name) / max(LEAST_SECONDS, seconds)
            for name, seconds in known.items()
            if seconds is not None
        }
        if not promises:
            return min(architectures, key=lambda name: self._tried[name].num_trials)
        return max(promises, key=lambda name: promises[name])

    def worth_a_trial(self, architectures: Sequence[str]) -> list[str]:
        """Return those of these that are worth another trial: all, if the one that leads is among
        them, or is not known; else those that may overtake it."""
        leader = min(self._tried, key=self._least_error, default=None)
        if leader is None or leader in architectures or self._least_error(leader) == math.inf:
            return list(architectures)
        return [name for name in architectures if self._chance(name) >= LEAST_CHANCE]

    def _chance(self, architecture: str) -> float:
        """Return how likely the next trial of this architecture is to lead, about."""
        least_error = min(map(self._least_error, self._tried))
        behind = self._least_error(architecture) / least_error
        return 1 / (behind**EXPONENT * (self._tried[architecture].num_trials + 1))

    def _least_error(self, architecture: str) -> float:
        running = (t.error for t in self._running.values() if t.architecture == architecture)
        return min(self._tried[architecture].least_error, *running, math.inf)

    def _seconds(self, architecture: str) -> float | None:
        """Return what a trial of this architecture takes; `None`: that is not known."""
        if ended := self._tried[architecture].seconds:
            return fmean(ended)
        running = [t for t in self._running.values() if t.architecture == architecture]
        reported = [training.expected_seconds() for training in running if training.last_epoch]
        return fmean(reported) if reported else None


def _error(metric: Metric, epoch: EpochMetrics) -> float:
    """Return how far an epoch is from a perfect one: of a fraction what is missing to 1, else the
    loss. A metric that a user adds may have no best value: it is the accuracy's then."""
    value, is_loss = metric.on_validation(epoch), metric.direction == "minimize"
    if not math.isfinite(value):
        return LARGEST_LOSS if is_loss else 1.0
    return max(LEAST_ERROR, value if is_loss else 1 - value)


def rung_group(trial: RecordedTrial, *, by_architecture: bool) -> str:
    """Return the group within which a trial is compared at rungs.

    A report's configuration is compared with those of reports alone. Most of them train at a
    constant rate and lead early: a recipe whose rate warms up first, and ends higher, would be
    stopped by them.

    Args:
        by_architecture: Whether an epoch of one architecture is no other's.
    """
    architecture = str(trial.params["architecture"]) if by_architecture else ""
    return f"{architecture} {'published' if trial.origin == 'published' else 'searched'}"
