"""Define the early stopping rules: pure bookkeeping over reported scores, without Ray or Optuna.

A score is the metric's value, negated where lower is better, so that higher is better. numpy is
imported when a rule first decides, since `--help` shows the names of the rules.
"""

import math
from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Callable, Container
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from statistics import median
from typing import Protocol

from tune_jobs.engine.errors import RequestError


@dataclass(frozen=True, kw_only=True, slots=True)
class RungSettings:
    """Says when and how strictly a rule looks at trials.

    Attributes:
        grace_period: The first epoch at which a rule looks at a trial.
        reduction_factor: The top 1 / `reduction_factor` of the trials continue past a rung.
        brackets: The number of brackets, each with a later first rung.
        epochs: A trial's full budget.
    """

    grace_period: int
    reduction_factor: int
    brackets: int
    epochs: int


class StoppingRule(Protocol):
    """Decides, report by report, which trials continue."""

    def goes_on(self, number: int, epoch: int, score: float) -> bool:
        """Record the score of trial `number` at `epoch`, then say whether it may continue."""
        ...

    def rungs(self) -> dict[int, int]:
        """Return the number of trials that have reached each rung, by its epoch."""
        ...


class Scores:
    """Keeps one score of each trial, sorted, so that the next one is compared with all at once."""

    def __init__(self) -> None:
        self._by_trial: dict[int, float] = {}
        self._sorted: list[float] = []

    def __len__(self) -> int:
        return len(self._sorted)

    def add(self, number: int, score: float) -> None:
        self._by_trial[number] = score
        insort(self._sorted, score)

    def drop(self, number: int) -> None:
        """Forget the score of a trial, if there is one: a repeated report counts once."""
        if number in self._by_trial:
            self._sorted.remove(self._by_trial.pop(number))

    def quantile(self, fraction: float) -> float:
        """Interpolate linearly. numpy gives the same of all scores, and would sort them for it."""
        import numpy as np

        place = (len(self) - 1) * fraction
        below = math.floor(place)
        return float(np.quantile(self._sorted[below : below + 2], place - below))

    def median(self) -> float:
        middle = (len(self) - 1) // 2
        return median(self._sorted[middle : len(self) // 2 + 1])


class Never:
    """Lets every trial go on."""

    def __init__(self, settings: RungSettings | None = None) -> None:
        """Take settings as every rule does, and ignore them."""

    def goes_on(self, number: int, epoch: int, score: float) -> bool:
        return True

    def rungs(self) -> dict[int, int]:
        return {}


class Asha:
    """Stops trials at rungs by asynchronous successive halving, the stopping variant (Li et al.
    2020, https://arxiv.org/abs/1810.05934, section 3.2; Ray Tune's ASHAScheduler).

    At a rung the first trial continues; a later one continues if its score is at least the
    (1 - 1/eta) quantile (linear interpolation) of the scores recorded there before it, where eta is
    the reduction factor. Ties continue.

    Args:
        settings: The first rung is the grace period, the others are
            `grace_period * reduction_factor**k` below the full budget. Trial n is in bracket n
            modulo `brackets`; bracket s skips the first s rungs.
    """

    def __init__(self, settings: RungSettings) -> None:
        levels: list[int] = []
        eta = settings.reduction_factor
        while (level := settings.grace_period * eta ** len(levels)) < settings.epochs:
            levels.append(level)
        self._quantile = 1 - 1 / eta
        self._brackets = [
            {level: Scores() for level in levels[skipped:]} for skipped in range(settings.brackets)
        ]

    def goes_on(self, number: int, epoch: int, score: float) -> bool:
        recorded = self._brackets[number % len(self._brackets)].get(epoch)
        if recorded is None:
            return True
        recorded.drop(number)
        goes_on = not len(recorded) or score >= recorded.quantile(self._quantile)
        recorded.add(number, score)
        return goes_on

    def rungs(self) -> dict[int, int]:
        counts: dict[int, int] = {}
        for bracket in self._brackets:
            for level, recorded in bracket.items():
                counts[level] = counts.get(level, 0) + len(recorded)
        return dict(sorted(counts.items()))


class Median:
    """Stops a trial whose best score is under the median of the other trials' running means
    (Golovin et al. 2017, Google Vizier, section 3.2), from `grace_period` epochs on and once
    `MINIMUM_TRIALS` others have come as far."""

    MINIMUM_TRIALS = 3

    def __init__(self, settings: RungSettings) -> None:
        self._grace_period = settings.grace_period
        self._values: dict[int, dict[int, float]] = {}
        self._means: defaultdict[int, Scores] = defaultdict(Scores)  # by epoch

    def goes_on(self, number: int, epoch: int, score: float) -> bool:
        import numpy as np

        own = self._values.setdefault(number, {})
        if own:  # of the epochs between, which it did not report, its mean so far is known
            for passed in range(max(own) + 1, epoch):
                self._means[passed].add(number, float(np.mean([*own.values()])))
        own[epoch] = score
        others = self._means[epoch]
        others.drop(number)
        few = len(others) < self.MINIMUM_TRIALS
        goes_on = epoch < self._grace_period or few or max(own.values()) >= others.median()
        others.add(number, float(np.mean([*own.values()])))
        return goes_on

    def rungs(self) -> dict[int, int]:
        return {}


class WithinGroups:
    """Compares each trial with those of its own group alone.

    Args:
        rule: The rule, of which every group has a copy; it has seen no trial yet.
        group_of: Gives a trial's group by its number.
    """

    def __init__(self, rule: StoppingRule, group_of: Callable[[int], str]) -> None:
        self._rule = rule
        self._group_of = cache(group_of)
        self._by_group: dict[str, StoppingRule] = {}

    def goes_on(self, number: int, epoch: int, score: float) -> bool:
        group = self._group_of(number)
        if group not in self._by_group:
            self._by_group[group] = deepcopy(self._rule)
        return self._by_group[group].goes_on(number, epoch, score)

    def rungs(self) -> dict[int, int]:
        counts = Counter(self._rule.rungs())
        for rule in self._by_group.values():
            counts.update(rule.rungs())
        return dict(sorted(counts.items()))


RULES: dict[str, Callable[[RungSettings], StoppingRule]] = {
    "asha": Asha,
    "median": Median,
    "none": Never,
}
"""The rules that `--scheduler` names, each of which is made for a run's settings."""

UNREAD: dict[str, tuple[str, ...]] = {
    "median": ("reduction_factor", "brackets"),
    "none": ("grace_period", "reduction_factor", "brackets"),
}
"""Settings that a rule does not read, so that to give them is a mistake; others read them all."""


def check_settings(rule: str, given: Container[str]) -> None:
    """Refuse settings that the rule does not read.

    Args:
        given: The names of the options that were given.

    Raises:
        RequestError: One of them is such a setting.
    """
    unread = [name for name in UNREAD.get(rule, ()) if name in given]
    if unread:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in unread)
        raise RequestError(
            f"{flags}: must not be given with --scheduler {rule}, which does not read it: leave it "
            "out, or take --scheduler asha"
        )
