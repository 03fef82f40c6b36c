"""The search: Optuna proposes, the record remembers, the rule decides who goes on."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from tune_jobs.engine.job import Space
from tune_jobs.engine.search.early_stopping import StoppingRule
from tune_jobs.engine.search.record import Record, build_sampler, replay, reports_of

EXEMPT = ("published", "default")
"""Origins of the trials that early stopping leaves alone. At the rungs they count like all others:
a proposal is measured against what is known to work, from the first one on."""

OUT_OF_TIME = TrialState.PRUNED, "time budget"

COUNTED_EVERY_SECONDS = 10
"""And with each trial's end; more often would only lengthen the record."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchPlan:
    """What a search is asked to do.

    Attributes:
        space: The search space.
        architecture: Of every configuration, unless the space suggests another.
        first: Configurations tried first, with their origin, `published` or `default`.
        time_budget: Seconds after which the search ends, or `None`.
    """

    space: Space
    architecture: str
    first: Sequence[tuple[Mapping[str, Any], str]]
    trials: int
    epochs: int
    sampler: str
    seed: int
    time_budget: float | None


class Search:
    """A source of proposed configurations, rebuilt from the record where there is one."""

    def __init__(self, plan: SearchPlan, record: Record, rule: StoppingRule) -> None:
        self.plan = plan
        self.record = record
        self.rule = rule
        self._started = self._counted = time.monotonic()
        self._origins: dict[int, str] = {}
        known = record.trials()
        self._num_asked = sum(t.state != TrialState.WAITING for t in known)
        goes_on = self._replay_reports(known)
        self._unfinished = [
            t for t in known if t.state == TrialState.RUNNING and not self._settle(t, goes_on)
        ]
        for config, origin in plan.first[len(known) :]:
            params, _ = replay(plan.space, config)
            record.enqueue(params, origin=origin)

    @property
    def num_first_asked(self) -> int:
        """How many of the first configurations have begun."""
        return min(self._num_asked, len(self.plan.first))

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to propose, and nothing that still runs."""
        exhausted = not self._unfinished and self._num_asked >= self.plan.trials
        return (exhausted or self._out_of_time()) and not self._origins

    def next_trial(self) -> dict[str, Any] | None:
        """The next proposal, an earlier session's unfinished trials first."""
        if self._out_of_time():
            while self._unfinished:
                self._end(self._restart(self._unfinished.pop(0)).number, *OUT_OF_TIME)
            return None
        if self._unfinished:
            trial = self._restart(self._unfinished.pop(0))
        elif self._num_asked < self.plan.trials:
            sampler = build_sampler(self.plan.sampler, seed=self.plan.seed, number=self._num_asked)
            trial = self.record.ask(sampler, self._configuration)
            self._num_asked += 1
            self._origins[trial.number] = trial.user_attrs.get("origin", "search")
        else:
            return None
        last = self.record.last_report(trial.number)
        return {
            "task": "search",
            "number": trial.number,
            "name": self.record.name_of(trial),
            "seed": self.plan.seed,
            "config": trial.user_attrs["config"],
            "reported": last["epoch"] if last else 0,
        }

    def on_report(self, number: int, figures: Mapping[str, Any]) -> bool:
        if not self.record.report(number, figures):
            return True  # decided before
        if time.monotonic() - self._counted >= COUNTED_EVERY_SECONDS:
            self._count_time()
        epoch, value = figures["epoch"], figures["val_accuracy"]
        goes_on = True
        if epoch < self.plan.epochs and not has_diverged(figures):
            passes = self.rule.goes_on(number, epoch, value)
            goes_on = passes or self._origins[number] in EXEMPT
        verdict = self._verdict(figures, goes_on=goes_on)
        return verdict is None or self._end(number, *verdict)

    def _verdict(
        self, figures: Mapping[str, Any], *, goes_on: bool
    ) -> tuple[TrialState, str] | None:
        """How a trial ends with a report; `None`: it continues."""
        if has_diverged(figures):
            return TrialState.PRUNED, "diverged"
        if figures["epoch"] >= self.plan.epochs:
            return TrialState.COMPLETE, "full budget"
        if not goes_on:
            return TrialState.PRUNED, "stopped early"
        return OUT_OF_TIME if self._out_of_time() else None

    def _restart(self, left: FrozenTrial) -> optuna.Trial:
        sampler = build_sampler(self.plan.sampler, seed=self.plan.seed, number=left.number)
        trial = self.record.restart(left, sampler, self._configuration)
        self._origins[trial.number] = trial.user_attrs.get("origin", "search")
        return trial

    def _settle(self, left: FrozenTrial, goes_on: Mapping[int, bool]) -> bool:
        """End a trial whose last report was recorded, but not what followed from it."""
        reports = reports_of(left)
        if not reports:
            return False
        verdict = self._verdict(reports[max(reports)], goes_on=goes_on.get(left.number, True))
        if verdict is None:
            return False
        self._restart(left)
        self._end(left.number, *verdict)
        return True

    def on_failure(self, number: int, cause: str) -> None:
        self._end(number, TrialState.FAIL, cause)

    def _end(self, number: int, state: TrialState, reason: str) -> bool:
        self.record.end(number, state, reason)
        del self._origins[number]
        self._count_time()
        return False

    def _count_time(self) -> None:
        """Into the record, so that a process that is killed has counted too."""
        now = time.monotonic()
        self.record.add_seconds(now - self._counted)
        self._counted = now

    def _configuration(self, trial: optuna.Trial) -> dict[str, Any]:
        constants = self.plan.space(trial) or {}
        return {
            "architecture": self.plan.architecture,
            **trial.params,
            **constants,
            "epochs": self.plan.epochs,
        }

    def _replay_reports(self, known: Sequence[FrozenTrial]) -> dict[int, bool]:
        """Give the rule all recorded reports in their order -> its last word on each trial."""
        exempt = {t.number for t in known if t.user_attrs.get("origin") in EXEMPT}
        reports = sorted(
            (figures["sequence"], trial.number, epoch, figures["val_accuracy"])
            for trial in known
            for epoch, figures in reports_of(trial).items()
            if epoch < self.plan.epochs and not figures.get("diverged")
        )
        goes_on: dict[int, bool] = {}
        for _, number, epoch, value in reports:
            goes_on[number] = self.rule.goes_on(number, epoch, value) or number in exempt
        return goes_on

    def _out_of_time(self) -> bool:
        budget = self.plan.time_budget
        return budget is not None and time.monotonic() - self._started > budget


def has_diverged(figures: Mapping[str, Any]) -> bool:
    """Whether a report says so, or has a number that is not finite (`x - x` is 0 otherwise)."""
    finite = all(v - v == 0 for v in figures.values() if isinstance(v, float))
    return bool(figures.get("diverged")) or not finite
