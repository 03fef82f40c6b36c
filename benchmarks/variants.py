"""Variants of the project's search that benchmarks.search_variants compares with it."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any
from unittest.mock import patch

from benchmarks.record_curves import Task
from benchmarks.replay import METHODS, Method, Ours
from benchmarks.rule_variants import (
    BuildRule,
    ChanceStops,
    FirstExempt,
    LastSlope,
    NoiseSlack,
    PowerLaw,
    Rule,
    SoftRanks,
    grouped,
    rule,
    rungs,
    schedule,
    schedule_family,
)
from benchmarks.sampler_variants import moving, propose_by_gp, sharing, staying
from tune_jobs.engine.search import prior_sampler
from tune_jobs.engine.search.early_stopping import RungSettings, StoppingRule


class Varied(Ours):
    """The project's search with another rule, or with other constants of the sampler."""

    def __init__(
        self,
        task: Task,
        trials: int,
        seed: int,
        *,
        build_rule: BuildRule | None = None,
        sampler: Callable[..., prior_sampler.PriorSampler] = prior_sampler.PriorSampler,
        **constants: Any,
    ) -> None:
        self._build_rule = build_rule
        self._replaced = {"PriorSampler": sampler, **constants}
        super().__init__(task, trials, seed)

    def rule(self, settings: RungSettings) -> StoppingRule:
        return self._build_rule(settings, self) if self._build_rule else super().rule(settings)

    def ask(self) -> tuple[int, Mapping[str, Any]] | None:
        with ExitStack() as stack:
            stack.enter_context(patch.multiple(prior_sampler, **self._replaced))
            return super().ask()


VARIANTS: dict[str, Mapping[str, Any]] = {
    "nothing stopped": rungs(1000, 3),
    "reduction factor 2": rungs(1, 2),
    "reduction factor 4": rungs(1, 4),
    "grace period 2": rungs(2, 3),
    "grace period 3": rungs(3, 3),
    "2 brackets": rungs(1, 3, 2),
    "bars by schedule": grouped(schedule),
    "bars by decay": grouped(schedule_family),
    "after 2 others": rule(Rule, least=2),
    "after 3 others": rule(Rule, least=3),
    "after 4 others": rule(Rule, least=4),
    "milder, then stricter": rule(Rule, quantiles=(0.5, 2 / 3, 0.8)),
    "stricter, then milder": rule(Rule, quantiles=(0.8, 2 / 3, 0.5)),
    "strict at the last rung": rule(Rule, quantiles=(2 / 3, 2 / 3, 0.9)),
    "slack of the noise": rule(NoiseSlack),
    "soft ranks": rule(SoftRanks),
    "last value and slope": rule(LastSlope),
    "power law": rule(PowerLaw),
    "chance stops": rule(ChanceStops),
    "default exempt": rule(FirstExempt),
    "uniform 0": {"sampler": partial(prior_sampler.PriorSampler, uniform=0.0)},
    "uniform 0.05": {"sampler": partial(prior_sampler.PriorSampler, uniform=0.05)},
    "uniform 0.2": {"sampler": partial(prior_sampler.PriorSampler, uniform=0.2)},
    "spread 0.05": {"SPREADS": (0.05,)},
    "spread 0.1": {"SPREADS": (0.1,)},
    "spread 0.2": {"SPREADS": (0.2,)},
    "spreads 0.05, 0.1, 0.3": {"SPREADS": (0.05, 0.1, 0.3)},
    "spreads 0.05, 0.05, 0.3": {"SPREADS": (0.05, 0.05, 0.3)},
    "spreads 0.02 to 0.2": {"SPREADS": (0.02, 0.05, 0.1, 0.2)},
    "spreads 0.05 to 0.2": {"SPREADS": (0.05, 0.1, 0.2)},
    "spreads 0.1, 0.3": {"SPREADS": (0.1, 0.3)},
    "choices kept 0.5": {"KEPT": 0.5},
    "choices kept 0.85": {"KEPT": 0.85},
    "half a step": {"LEAST_STEPS": 0.3},
    "model from 4": {"FEW": 4},
    "model from 16": {"FEW": 16},
    "no model": {"FEW": 10**6},
    "1 incumbent": {"INCUMBENTS": 1},
    "5 incumbents": {"INCUMBENTS": 5},
    "1 in 4 stays": {"sampler": staying(0.25)},
    "1 in 2 stays": {"sampler": staying(0.5)},
    "2 in 3 stay": {"sampler": staying(2 / 3)},
    "3 in 4 stay": {"sampler": staying(0.75)},
    "5 in 6 stay": {"sampler": staying(5 / 6)},
    "3 in 4 stay, of the recipe": {"sampler": staying(0.75, ["centre"])},
    "3 in 4 stay, of incumbents": {"sampler": staying(0.75, ["incumbent"])},
    "3 in 4 stay, spread 0.1": {"sampler": staying(0.75), "SPREADS": (0.1,)},
    "3 in 4 stay, spread 0.2": {"sampler": staying(0.75), "SPREADS": (0.2,)},
    "1 in 2 stays, spread 0.05": {"sampler": staying(0.5), "SPREADS": (0.05,)},
    "2 move": {"sampler": moving(2)},
    "3 move": {"sampler": moving(3)},
    "4 move": {"sampler": moving(4)},
    "4 move, choices too": {"sampler": moving(4), "KEPT": 0.0},
    "6 move": {"sampler": moving(6)},
    "incumbents sooner": {"sampler": sharing(8, 0.8, 40, 0.6)},
    "incumbents later": {"sampler": sharing(32, 0.8, 40, 0.6)},
    "no centre once 8 ended": {"sampler": sharing(8, 1.0, 40, 0.6)},
    "model sooner": {"sampler": sharing(16, 0.8, 20, 0.6)},
    "more of the model": {"sampler": sharing(16, 0.8, 40, 0.9)},
    "Gaussian process": {"propose": propose_by_gp},
    "less of the model": {"sampler": sharing(16, 0.8, 80, 0.3)},
}
"""What differs from today's search, by name."""


def methods() -> dict[str, Callable[[Task, int, int], Method]]:
    return METHODS | {name: partial(Varied, **varied) for name, varied in VARIANTS.items()}
