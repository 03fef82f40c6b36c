"""Early stopping rules: pure bookkeeping over reported values, no Ray, no Optuna."""

from typing import Protocol

import numpy as np


class StoppingRule(Protocol):
    def goes_on(self, number: int, epoch: int, value: float) -> bool:
        """Record trial `number`'s value at `epoch`, then say whether it may continue."""
        ...

    def rungs(self) -> dict[int, int]:
        """Epoch -> number of trials that have reached it."""
        ...


class Never:
    """No early stopping."""

    def goes_on(self, number: int, epoch: int, value: float) -> bool:
        return True

    def rungs(self) -> dict[int, int]:
        return {}


class Asha:
    """Asynchronous successive halving, the stopping variant (Li et al. 2020,
    https://arxiv.org/abs/1810.05934, section 3.2; Ray Tune's ASHAScheduler).

    At a rung the first trial continues; a later one continues if its value is at least the
    (1 - 1/eta) quantile (linear interpolation) of the values recorded there before it. Ties
    continue.

    Args:
        grace_period: The first rung, in epochs; the others are `grace_period * eta**k`.
        eta: The reduction factor.
        brackets: Trial n is in bracket n modulo `brackets`; bracket s skips the first s rungs.
        epochs: The full budget; a rung at or beyond it does not exist.
    """

    def __init__(self, *, grace_period: int, eta: int, brackets: int, epochs: int) -> None:
        levels: list[int] = []
        while (level := grace_period * eta ** len(levels)) < epochs:
            levels.append(level)
        self._quantile = 1 - 1 / eta
        self._brackets: list[dict[int, dict[int, float]]] = [
            {level: {} for level in levels[skipped:]} for skipped in range(brackets)
        ]

    def goes_on(self, number: int, epoch: int, value: float) -> bool:
        recorded = self._brackets[number % len(self._brackets)].get(epoch)
        if recorded is None:
            return True
        before = [v for other, v in recorded.items() if other != number]
        recorded[number] = value
        return not before or value >= float(np.quantile(before, self._quantile))

    def rungs(self) -> dict[int, int]:
        counts: dict[int, int] = {}
        for bracket in self._brackets:
            for level, recorded in bracket.items():
                counts[level] = counts.get(level, 0) + len(recorded)
        return dict(sorted(counts.items()))


class Median:
    """Stop a trial whose best value is under the median of the other trials' running means
    (Golovin et al. 2017, Google Vizier, section 3.2.1), from `grace_period` epochs on and once
    `MINIMUM_TRIALS` others have come as far."""

    MINIMUM_TRIALS = 3

    def __init__(self, *, grace_period: int) -> None:
        self._grace_period = grace_period
        self._values: dict[int, dict[int, float]] = {}

    def goes_on(self, number: int, epoch: int, value: float) -> bool:
        own = self._values.setdefault(number, {})
        own[epoch] = value
        if epoch < self._grace_period:
            return True
        means = [
            float(np.mean([v for e, v in values.items() if e <= epoch]))
            for other, values in self._values.items()
            if other != number and max(values) >= epoch
        ]
        if len(means) < self.MINIMUM_TRIALS:
            return True
        return max(own.values()) >= float(np.median(means))

    def rungs(self) -> dict[int, int]:
        return {}


def build_rule(
    name: str, *, grace_period: int, eta: int, brackets: int, epochs: int
) -> StoppingRule:
    """The rule that `--scheduler` names."""
    if name == "asha":
        return Asha(grace_period=grace_period, eta=eta, brackets=brackets, epochs=epochs)
    return Median(grace_period=grace_period) if name == "median" else Never()
