"""What else could help a search: variants of its stopping rule and of its proposals, replayed.

    python -m benchmarks.search_variants [TASK ...] [--seeds 30] [--variants a,b] [--keep FILE]

Every variant is compared with today's search, seed by seed: how much more regret it has at its end,
and after as many trial-epochs as today's search had with that seed; p is Wilcoxon's. Over all
tasks, differences are shares of today's mean regret of each task.
"""

import argparse
import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import optuna
from scipy.stats import wilcoxon

from benchmarks.record_curves import Task
from benchmarks.replay import METHODS, Method, Ours, Outcome
from benchmarks.rule_variants import (
    ChanceStops,
    FirstExempt,
    LastSlope,
    NoiseSlack,
    PowerLaw,
    Rule,
    SoftRanks,
    schedule,
    schedule_family,
)
from benchmarks.search_quality import Kept, interval
from benchmarks.surrogate import recorded
from tune_jobs.engine.search import prior_sampler
from tune_jobs.engine.search.early_stopping import Asha, RungSettings, StoppingRule, WithinGroups

COMPLETE = ("digits_cnn", "fashion_mlp", "fruits_mlp", "aliens_head", "fashion_classical")
TODAY = "ours"

BuildRule = Callable[[RungSettings, "Varied"], StoppingRule]


class Varied(Ours):
    """The project's search with another rule, or with other constants of the sampler."""

    def __init__(
        self,
        task: Task,
        trials: int,
        seed: int,
        *,
        build_rule: BuildRule | None = None,
        sampler: type[prior_sampler.PriorSampler] = prior_sampler.PriorSampler,
        **constants: Any,
    ) -> None:
        self.task, self._build_rule = task, build_rule
        self._replaced = {"PriorSampler": sampler, **constants}
        super().__init__(task, trials, seed)

    def rule(self, settings: RungSettings) -> StoppingRule:
        return self._build_rule(settings, self) if self._build_rule else super().rule(settings)

    def ask(self) -> tuple[int, Mapping[str, Any]] | None:
        with ExitStack() as stack:
            stack.enter_context(patch.multiple(prior_sampler, **self._replaced))
            return super().ask()

    def params(self, number: int) -> Mapping[str, Any]:
        return self.search.record.trials()[number].params


class Mutating(prior_sampler.PriorSampler):
    """Most parameters stay as they are around recipe and incumbents; a few move."""

    stay = 0.5

    def sample_independent(self, study: Any, trial: Any, name: str, distribution: Any) -> Any:
        drawn = super().sample_independent(study, trial, name, distribution)
        random = np.random.default_rng([self._seed, len(name), *name.encode()])
        if name in self._near and random.random() < self.stay:
            return prior_sampler.nearest_value(distribution, self._near[name])
        return drawn


class MutatingFew(Mutating):
    stay = 0.75


class MutatingMany(Mutating):
    stay = 0.25


def sharing(incumbents: float, most_incumbent: float, model: float, most_model: float) -> type:
    """A sampler whose sources reach their greatest shares after so many ended trials."""

    class Sharing(prior_sampler.PriorSampler):
        def _draw_source(self, random: np.random.Generator, num_ended: int) -> str:
            if random.random() < self._uniform:
                return "uniform"
            modelled = 0.0 if num_ended < prior_sampler.FEW else min(most_model, num_ended / model)
            incumbent = min(most_incumbent, num_ended / incumbents) * (1 - modelled)
            shares = [1 - modelled - incumbent, incumbent, modelled]
            return str(random.choice(["centre", "incumbent", "model"], p=shares))

    return Sharing


def rule(build: Callable[..., StoppingRule], **options: Any) -> dict[str, Any]:
    return {"build_rule": lambda settings, search: build(settings, search.task, **options)}


def rungs(grace_period: int, reduction_factor: int, brackets: int = 1) -> dict[str, Any]:
    def build(settings: RungSettings, search: Varied) -> StoppingRule:
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
            Asha(settings), lambda number: group(search.params(number))
        )
    }


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
    "no uniform": {"UNIFORM": 0.0},
    "uniform 0.05": {"UNIFORM": 0.05},
    "uniform 0.2": {"UNIFORM": 0.2},
    "spread 0.05": {"SPREADS": (0.05,)},
    "spread 0.1": {"SPREADS": (0.1,)},
    "spread 0.2": {"SPREADS": (0.2,)},
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
    "1 in 4 stays": {"sampler": MutatingMany},
    "1 in 2 stays": {"sampler": Mutating},
    "3 in 4 stay": {"sampler": MutatingFew},
    "incumbents sooner": {"sampler": sharing(8, 0.8, 40, 0.6)},
    "incumbents later": {"sampler": sharing(32, 0.8, 40, 0.6)},
    "no centre once 8 ended": {"sampler": sharing(8, 1.0, 40, 0.6)},
    "model sooner": {"sampler": sharing(16, 0.8, 20, 0.6)},
    "more of the model": {"sampler": sharing(16, 0.8, 40, 0.9)},
    "less of the model": {"sampler": sharing(16, 0.8, 80, 0.3)},
}
"""What differs from today's search, by name."""


def methods() -> dict[str, Callable[[Task, int, int], Method]]:
    return METHODS | {name: partial(Varied, **varied) for name, varied in VARIANTS.items()}


def compare(
    today: Mapping[str, Sequence[Outcome]],
    varied: Mapping[str, Sequence[Outcome]],
    best: Mapping[str, float],
) -> str:
    """Describe a variant's regret and epochs against today's, for each task and over all."""
    told, ends, evens, spent = [], [], [], []
    for task, outcomes in varied.items():
        pairs = list(zip(outcomes, today[task], strict=True))
        regret = statistics.fmean(best[task] - o.end.shipped for o in today[task])
        end = np.array([was.end.shipped - now.end.shipped for now, was in pairs])
        even = [was.end.shipped - now.after(epochs=was.end.epochs) for now, was in pairs]
        ends.append(end / regret)
        evens.append(np.array(even) / regret)
        spent.append(statistics.fmean(now.end.epochs / was.end.epochs for now, was in pairs))
        told.append(f"{task} {end.mean():+.4f} (p {p(end):.2g})")
    mean, even = np.mean(ends, axis=0), np.mean(evens, axis=0)
    return (
        f"{mean.mean():+7.1%} (p {p(mean):.2g}), in equal epochs {even.mean():+7.1%} "
        f"(p {p(even):.2g}), {statistics.fmean(spent):4.2f} of the epochs; {'; '.join(told)}"
    )


def p(differences: Sequence[float] | np.ndarray[Any, Any]) -> float:
    return float(wilcoxon(differences).pvalue) if np.any(differences) else 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tasks", nargs="*", metavar="TASK", default=list(COMPLETE))
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--trials", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--variants", help="names, with commas (default: all)")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="outcomes, not replayed again")
    given = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    kept = Kept(given.keep, methods())
    surrogates = {name: surrogate for name, _, surrogate in recorded(given.tasks)}
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    names = given.variants.split(",") if given.variants else list(VARIANTS)
    found = {
        (trials, method): {
            name: [kept.of(name, surrogate, trials, method, seed) for seed in seeds]
            for name, surrogate in surrogates.items()
        }
        for trials in given.trials
        for method in (TODAY, *names)
    }
    best = {name: kept.best(name) for name in surrogates}
    for trials in given.trials:
        today = found[trials, TODAY]
        for name, outcomes in today.items():
            regrets = [best[name] - outcome.end.shipped for outcome in outcomes]
            epochs = statistics.fmean(outcome.end.epochs for outcome in outcomes)
            print(f"{trials} trials, {TODAY}, {name}: {interval(regrets)}, {epochs:.0f} epochs")
        for method in names:
            said = compare(today, found[trials, method], best)
            print(f"{trials} trials, {method:24} {said}")


if __name__ == "__main__":
    main()
