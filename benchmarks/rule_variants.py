"""Stopping rules that the benchmarks compare with today's; each knows the task that it judges."""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from benchmarks.record_curves import Task
from benchmarks.replay import Ours
from tune_jobs.engine.search.early_stopping import Asha, RungSettings, StoppingRule, WithinGroups

BuildRule = Callable[[RungSettings, Ours], StoppingRule]
"""Makes the rule of a search, which has no trial yet."""


class Rule(Asha):
    """Today's rule in parts that a variant replaces.

    Args:
        least: A trial is compared once so many others have come to the rung.
        quantiles: The quantile of the others that is the bar, by rung; the last holds for the rest.
    """

    def __init__(
        self,
        settings: RungSettings,
        task: Task,
        *,
        least: int = 1,
        quantiles: Sequence[float] = (),
    ) -> None:
        super().__init__(settings)
        self.task, self.least = task, least
        self.quantiles = quantiles or [self._quantile]
        self.levels = list(self._brackets[0])
        self.curves: dict[int, list[float]] = {}

    def goes_on(self, number: int, epoch: int, score: float) -> bool:
        self.curves.setdefault(number, []).append(score)
        recorded = self._brackets[0].get(epoch)
        if recorded is None:
            return True
        worth = self.worth(self.curves[number])
        quantile = self.quantiles[min(self.levels.index(epoch), len(self.quantiles) - 1)]
        few = len(recorded) < self.least
        goes_on = few or worth >= recorded.quantile(quantile) - self.slack(score)
        recorded.add(number, worth)
        return goes_on

    def worth(self, curve: Sequence[float]) -> float:
        """Return what is compared at a rung, of a trial's scores so far."""
        return curve[-1]

    def slack(self, score: float) -> float:
        """Return how far below the bar a trial may be."""
        return 0.0


class NoiseSlack(Rule):
    """A trial goes on within a standard error of the validation split below the bar."""

    def slack(self, score: float) -> float:
        return float(np.sqrt(max(score * (1 - score), 0.0) / self.task.validation))


class SoftRanks(Rule):
    """A trial goes on within PASHA's epsilon below the bar (Bohdal et al. 2023, arXiv 2207.06940,
    section 4.2): the 90th percentile of the distances of trials that have changed ranks twice."""

    def slack(self, score: float) -> float:
        distances = []
        for one, other in combinations(self.curves.values(), 2):
            shared = min(len(one), len(other))
            differences = np.subtract(one[:shared], other[:shared])
            signs = np.sign(differences[differences != 0])
            if np.count_nonzero(np.diff(signs)) >= 2:
                distances.append(abs(differences[-1]))
        return float(np.quantile(distances, 0.9)) if distances else 0.0


class LastSlope(Rule):
    """Compares the last score with the slope added, as if it halved from epoch to epoch."""

    def worth(self, curve: Sequence[float]) -> float:
        return curve[-1] + (curve[-1] - curve[-2]) if len(curve) > 1 else curve[-1]


class PowerLaw(Rule):
    """Compares a power law's score at the full budget, by least squares over four exponents."""

    def worth(self, curve: Sequence[float]) -> float:
        if len(curve) < 3:
            return curve[-1]
        epochs = np.arange(1, len(curve) + 1)
        found = []
        for exponent in (0.25, 0.5, 1.0, 2.0):
            X = np.stack([np.ones(len(curve)), epochs**-exponent], axis=1)
            (end, scale), *_ = np.linalg.lstsq(X, np.asarray(curve), rcond=None)
            error = float(np.square(X @ (end, scale) - curve).sum())
            found.append((error, end + scale * self.task.epochs**-exponent))
        return float(np.clip(min(found)[1], 0.0, 1.0))


class ChanceStops(Rule):
    """A trial that is at chance at a rung stops, even the first one."""

    def goes_on(self, number: int, epoch: int, score: float) -> bool:
        goes_on = super().goes_on(number, epoch, score)
        return goes_on and (score > 1.1 * self.task.chance or epoch not in self.levels)


class FirstExempt(Rule):
    """The default, which is the first trial, is not stopped."""

    def goes_on(self, number: int, epoch: int, score: float) -> bool:
        return super().goes_on(number, epoch, score) or number == 0


def schedule(params: Mapping[str, object]) -> str:
    return str(params.get("schedule"))


def schedule_family(params: Mapping[str, object]) -> str:
    return "constant" if params.get("schedule") == "constant" else "decaying"


def rule(build: Callable[..., StoppingRule], **options: Any) -> dict[str, Any]:
    return {"build_rule": lambda settings, search: build(settings, search.task, **options)}


def rungs(grace_period: int, reduction_factor: int, brackets: int = 1) -> dict[str, Any]:
    def build(settings: RungSettings, search: Ours) -> StoppingRule:
        changed = RungSettings(
            grace_period=grace_period,
            reduction_factor=reduction_factor,
            brackets=brackets,
            epochs=settings.epochs,
        )
        return Asha(changed)

    return {"build_rule": build}


def grouped(group: Callable[[Mapping[str, Any]], str]) -> dict[str, Any]:
    return {
        "build_rule": lambda settings, search: WithinGroups(
            Asha(settings), lambda number: group(search.search.record.trials()[number].params)
        )
    }
