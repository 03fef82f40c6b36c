"""Say when a search has tried enough, and what a model may cost."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from trainables.metrics import EpochMetrics

NO_TIME = "time budget"
"""The reason why trials end that the time budget leaves no time for."""

TOO_SLOW = "too slow for the time budget"
"""The beginning of the reason why an architecture's first trial is not begun."""


ABOVE = "above --max-"
"""What the reason says why a model cannot win that costs too much."""


@dataclass(slots=True)
class Standing:
    """Says how far a search has come.

    Attributes:
        best: The best score of a trial that reached its full budget.
        num_since: The number of trials that have ended since, without a better one.
    """

    best: float = -math.inf
    num_since: int = 0

    def add(self, score: float | None) -> None:
        """Take the score of the next trial that has ended; `None`: it was stopped early, or
        failed."""
        if score is not None and score > self.best:
            self.best, self.num_since = score, 0
        elif self.best > -math.inf:
            self.num_since += 1


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchLimits:
    """Says what ends a search before its last proposal; `None`: that does not.

    Attributes:
        target: The score of a full-budget trial that is good enough; a higher one is better.
        patience: The number of proposals that may end, one after the other, without a better score.
    """

    target: float | None = None
    patience: int | None = None

    def reached(self, standing: Standing) -> str | None:
        """Return which limit is reached, in words; `None`: none is.

        Patience begins with the first trial that reaches its full budget.
        """
        if self.target is not None and standing.best >= self.target:
            return "target reached"
        if self.patience is not None and standing.num_since >= self.patience:
            return f"no better one in {standing.num_since} proposals"
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelLimits:
    """Says what a model may cost at most to win; `None`: that is not limited.

    Attributes:
        parameters: The number of trainable parameters; an estimator has none.
        latency_seconds: The time to predict one image, measured after a retraining.
    """

    parameters: int | None = None
    latency_seconds: float | None = None

    def exceeded(self, seeds: Sequence[EpochMetrics]) -> str | None:
        """Return which limit a configuration exceeds, in words; `None`: none, as far as is known.

        Args:
            seeds: The metrics of an epoch of each of its trainings.
        """
        counts = [seed.num_parameters for seed in seeds if seed.num_parameters is not None]
        if self.parameters is not None and counts and max(counts) > self.parameters:
            return f"{max(counts):,} parameters, {ABOVE}parameters {self.parameters:,}"
        costs = [seed.test.cost for seed in seeds if seed.test and seed.test.cost]
        if self.latency_seconds is None or not costs:
            return None
        latency, most = median(cost.latency_seconds for cost in costs), self.latency_seconds
        if latency <= most:
            return None
        return f"{1000 * latency:.3g} ms for one image, {ABOVE}latency {1000 * most:.3g} ms"
