"""The search: Optuna proposes, the record remembers, the rule decides who goes on."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from tune_jobs.engine.job import Space
from tune_jobs.engine.search.stopping import StoppingRule
from tune_jobs.engine.search.study import Record, build_sampler, replay

EXEMPT = ("published", "default")
"""Origins of the trials that early stopping leaves alone. They set no bar at the rungs either: a
tuned configuration that comes first would stop every early proposal."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchPlan:
    """What a search is asked to do.

    Attributes:
        space: The search space.
        fixed: What every configuration holds besides: architecture, epochs.
        first: Configurations tried first, with their origin, `published` or `default`.
        time_budget: Seconds after which the search ends, or `None`.
    """

    space: Space
    fixed: Mapping[str, Any]
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
        self.seconds = 0.0  # from the start to the last end, in this session
        self._started = time.monotonic()
        self._origins: dict[int, str] = {}
        known = record.trials()
        self._unfinished = [t for t in known if t.state == TrialState.RUNNING]
        self._num_asked = sum(t.state != TrialState.WAITING for t in known)
        self._replay_reports(known)
        for config, origin in plan.first[len(known) :]:
            params, _ = replay(plan.space, config)
            record.enqueue(params, origin=origin)

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to propose, and nothing that still runs."""
        exhausted = not self._unfinished and self._num_asked >= self.plan.trials
        return (exhausted or self._out_of_time()) and not self._origins

    def next_trial(self) -> dict[str, Any] | None:
        """The next proposal, an earlier session's unfinished trials first."""
        if self._out_of_time():
            return None
        if self._unfinished:
            left = self._unfinished.pop(0)
            sampler = build_sampler(self.plan.sampler, seed=self.plan.seed, number=left.number)
            trial = self.record.restart(left, sampler, self._configuration)
        elif self._num_asked < self.plan.trials:
            sampler = build_sampler(self.plan.sampler, seed=self.plan.seed, number=self._num_asked)
            trial = self.record.ask(sampler, self._configuration)
            self._num_asked += 1
        else:
            return None
        self._origins[trial.number] = trial.user_attrs.get("origin", "search")
        return {
            "task": "search",
            "number": trial.number,
            "name": self.record.name_of(trial),
            "seed": self.plan.seed,
            "config": trial.user_attrs["config"],
        }

    def on_report(self, number: int, figures: Mapping[str, Any]) -> bool:
        self.record.report(number, figures)
        epoch, value = figures["epoch"], figures["val_accuracy"]
        if not is_finite(figures):
            return self._end(number, TrialState.PRUNED, "diverged")
        if epoch >= self.plan.epochs:
            return self._end(number, TrialState.COMPLETE, "full budget")
        if self._origins[number] not in EXEMPT and not self.rule.goes_on(number, epoch, value):
            return self._end(number, TrialState.PRUNED, "stopped early")
        if self._out_of_time():
            return self._end(number, TrialState.PRUNED, "time budget")
        return True

    def on_failure(self, number: int, cause: str) -> None:
        self._end(number, TrialState.FAIL, cause)

    def _end(self, number: int, state: TrialState, reason: str) -> bool:
        self.record.end(number, state, reason)
        del self._origins[number]
        self.seconds = time.monotonic() - self._started
        return False

    def _configuration(self, trial: optuna.Trial) -> dict[str, Any]:
        constants = self.plan.space(trial) or {}
        return {**trial.params, **constants, **self.plan.fixed}

    def _replay_reports(self, known: Sequence[FrozenTrial]) -> None:
        for trial in known:
            if trial.user_attrs.get("origin") in EXEMPT:
                continue
            for epoch, value in sorted(trial.intermediate_values.items()):
                self.rule.goes_on(trial.number, epoch, value)

    def _out_of_time(self) -> bool:
        budget = self.plan.time_budget
        return budget is not None and time.monotonic() - self._started > budget


def is_finite(figures: Mapping[str, Any]) -> bool:
    """Whether every number in a report is finite (`x - x` is 0 just then)."""
    return all(v - v == 0 for v in figures.values() if isinstance(v, float))
