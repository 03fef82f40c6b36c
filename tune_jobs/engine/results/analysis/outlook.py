"""Extrapolate a search: what more proposals would probably bring."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from trainables.datasets.errors import counted
from tune_jobs.engine.record.record import Record

LEAST_PROPOSALS = 8
MOST_AHEAD = 3
"""Nothing is told of fewer proposals, and none is looked ahead further than so many times those so
far: `benchmarks/outlook.py` has tested no more."""

INTERVAL = 0.8
"""The probability that the best is within the interval, which begins at no rise: that is likelier
than 20 % as far as is looked ahead."""

LIMITS = {
    **dict.fromkeys(("accuracy", "balanced_accuracy", "macro_f1", "auroc"), 1.0),
    "log_loss": 0.0,
}
"""The highest score of a metric, where there is one."""

HOUR_SECONDS = 3600.0

METHOD = (
    "The outlook takes later proposals for draws from the same tail as those so far: the best of n "
    "and the best of m more then differ by a logistic variable (Gumbel 1958), whose scale is the "
    "mean of the gap between the two best and the standard error of the validation split."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Gain:
    """Says by how much the best score would rise.

    Attributes:
        probability: That it rises at all.
        median: Of the rise.
        high: The upper end of the 80 % interval, whose lower end is no rise.
    """

    probability: float
    median: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlook:
    """Says what so many more proposals would bring.

    Attributes:
        label: The metric's label.
        best: The best metric of a full-budget trial so far.
        median, high: What it would be, and the other end of its 80 % interval, which begins at
            `best`.
        seconds: The time that the proposals would take, about an hour where one can be told.
        is_capped: Whether an hour would be more, too far ahead to be told.
    """

    label: str
    num_proposals: int
    seconds: float
    is_capped: bool
    probability: float
    best: float
    median: float
    high: float

    def describe(self) -> str:
        """Write for instance `another 60 min (48 proposals): 75% likely to improve on ...`."""
        is_short = self.seconds < 120
        time = f"{self.seconds:.0f} s" if is_short else f"{self.seconds / 60:,.0f} min"
        ahead = counted(self.num_proposals, "proposal")
        further = "; further cannot be told" if self.is_capped else ""
        rise = (
            f"median {self.median:.4f}, 80 % interval {self.best:.4f} to {self.high:.4f}"
            if self.high != self.best
            else "most probably it stays"
        )
        return (
            f"another {time} ({ahead}{further}): {self.probability:.0%} likely to improve on "
            f"{self.label} {self.best:.4f}; {rise}"
        )


def predict_gain(
    scores: Sequence[float], num_proposals: int, num_more: int, noise: float
) -> Gain | None:
    """Predict by how much the best score rises with `num_more` proposals; `None`: too few scores.

    The scores are the upper tail of all proposals, since early stopping ended the others. Where
    that tail is exponential, the best of n proposals and the best of m more are Gumbel variables of
    one scale, a distance of scale * log(m / n) apart, and their difference is logistic (Gumbel
    1958, Statistics of Extremes). So the best rises with the probability m / (n + m), as the ranks
    of equals say. The gap between the two best has the mean `scale` (Rényi 1953). The standard
    error counts as one more such gap: what differs by less is noise.

    Args:
        scores: Of the trials that reached the full budget, more is better.
        num_proposals: All proposals so far, those stopped early included.
        num_more: The number of proposals looked ahead, at most `MOST_AHEAD * num_proposals`.
        noise: The standard error of a score on the validation split; 0: not known.
    """
    best = sorted(scores, reverse=True)[:2]
    gaps = [high - low for high, low in itertools.pairwise(best)]
    if noise > 0:
        gaps.append(noise)
    if num_proposals < LEAST_PROPOSALS or not best or not gaps:
        return None
    scale = fmean(gaps)
    ratio = num_more / num_proposals

    def rise(level: float) -> float:
        return max(0.0, scale * math.log(ratio * level / (1 - level)))

    return Gain(probability=ratio / (1 + ratio), median=rise(0.5), high=rise(INTERVAL))


def find_outlook(search: Record, noise: float) -> Outlook | None:
    """Predict what another hour of a search brings; `None`: there are too few trials to tell."""
    ended = [t for t in search.trials() if t.state.is_finished() and not t.is_left_out]
    values = [trial.value for trial in ended if trial.value is not None]
    if not values or not search.seconds:
        return None
    metric, pace = search.metric, search.seconds / len(ended)
    in_an_hour = max(1, round(HOUR_SECONDS / pace))
    num_more = min(in_an_hour, MOST_AHEAD * len(ended))
    gain = predict_gain(list(map(metric.score, values)), len(ended), num_more, noise)
    if gain is None:
        return None
    best, limit = max(map(metric.score, values)), LIMITS.get(metric.name, math.inf)
    return Outlook(
        label=metric.label,
        num_proposals=num_more,
        seconds=num_more * pace,
        is_capped=num_more < in_an_hour,
        probability=gain.probability if best < limit else 0.0,
        best=metric.score(best),  # a score's score is the value
        median=metric.score(min(limit, best + gain.median)),
        high=metric.score(min(limit, best + gain.high)),
    )


def standard_error(accuracy: float, num_images: int) -> float:
    """Return the standard error of an accuracy on so many images."""
    return math.sqrt(max(0.0, accuracy * (1 - accuracy)) / max(1, num_images))
