"""What else could help a search: variants of its stopping rule and of its proposals, replayed.

    python -m benchmarks.search_variants [TASK ...] [--seeds 30] [--variants NAME ...] [--keep FILE]

Every variant is compared with today's search, seed by seed: how much more regret it has at its end;
p is Wilcoxon's. Over all tasks, differences are shares of today's mean regret of each task. One
that trains more is compared with what today's search gains by as many epochs of more trials.
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
from benchmarks.sampler_variants import Mutating, MutatingFew, MutatingMany, propose_by_gp, sharing
from benchmarks.search_quality import Kept, interval
from benchmarks.surrogate import recorded
from tune_jobs.engine.search import prior_sampler
from tune_jobs.engine.search.early_stopping import RungSettings, StoppingRule

MORE_TRIALS = (1.0, 1.25, 1.5, 2.0)
"""Today's search is replayed with so many times the trials, too."""

COMPLETE = ("digits_cnn", "fashion_mlp", "fruits_mlp", "aliens_head", "fashion_classical")
TODAY = "ours"

Shares = np.ndarray[Any, np.dtype[np.float64]]


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
    "1 in 4 stays": {"sampler": MutatingMany},
    "1 in 2 stays": {"sampler": Mutating},
    "3 in 4 stay": {"sampler": MutatingFew},
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


def compare(
    varied: Mapping[str, Sequence[Outcome]],
    today: Mapping[str, Sequence[Outcome]],
    best: Mapping[str, float],
) -> tuple[Shares, float, str]:
    """Compare a variant with today's search, of the same seeds.

    Returns:
        How much more regret it has, in shares of today's mean, a mean over tasks for each seed; how
        many times the epochs it trains; the differences by task, in words.
    """
    shares, spent, told = [], [], []
    for task, outcomes in varied.items():
        pairs = list(zip(outcomes, today[task], strict=True))
        regret = statistics.fmean(best[task] - was.end.shipped for _, was in pairs)
        more = np.array([was.end.shipped - now.end.shipped for now, was in pairs])
        shares.append(more / regret)
        spent.append(
            sum(now.end.epochs for now, _ in pairs) / sum(was.end.epochs for _, was in pairs)
        )
        told.append(f"{task} {more.mean():+.4f} (p {p(more):.2g})")
    return np.mean(shares, axis=0), statistics.fmean(spent), "; ".join(told)


def p(differences: Shares) -> float:
    return float(wilcoxon(differences).pvalue) if np.any(differences) else 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tasks", nargs="*", metavar="TASK", default=list(COMPLETE))
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--trials", type=int, nargs="+", default=[16, 64])
    parser.add_argument(
        "--variants", nargs="+", default=list(VARIANTS), help="names (default: all)"
    )
    parser.add_argument("--keep", type=Path, metavar="FILE", help="outcomes, not replayed again")
    given = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    kept = Kept(given.keep, methods())
    surrogates = {name: surrogate for name, _, surrogate in recorded(given.tasks)}
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    names = given.variants

    def replay_all(trials: int, method: str) -> dict[str, list[Outcome]]:
        return {
            name: [kept.of(name, surrogate, trials, method, seed) for seed in seeds]
            for name, surrogate in surrogates.items()
        }

    for trials in given.trials:  # all of them first: the best that was found is the best of all
        found = {method: replay_all(trials, method) for method in (TODAY, *names)}
        more = [replay_all(int(times * trials), TODAY) for times in MORE_TRIALS]
        show(trials, found, more, {name: kept.best(name) for name in surrogates})


def choose_on_others(
    found: Mapping[str, Mapping[str, Sequence[Outcome]]], best: Mapping[str, float], task: str
) -> str:
    """Describe what the variant that was best on the other tasks does on this one."""
    others = {
        method: {name: outcomes for name, outcomes in by_task.items() if name != task}
        for method, by_task in found.items()
    }
    means = {
        method: compare(by_task, others[TODAY], best)[0].mean()
        for method, by_task in others.items()
    }
    chosen = min(means, key=lambda method: float(means[method]))
    shares, spent, _ = compare({task: found[chosen][task]}, {task: found[TODAY][task]}, best)
    return (
        f"{task}: {chosen} ({means[chosen]:+.1%} on the others) has {shares.mean():+.1%} "
        f"(p {p(shares):.2g}), {spent:.2f}x epochs"
    )


def show(
    trials: int,
    found: Mapping[str, Mapping[str, Sequence[Outcome]]],
    more_trials: Sequence[Mapping[str, Sequence[Outcome]]],
    best: Mapping[str, float],
) -> None:
    today = found[TODAY]
    for name, outcomes in today.items():
        regrets = [best[name] - outcome.end.shipped for outcome in outcomes]
        epochs = statistics.fmean(outcome.end.epochs for outcome in outcomes)
        print(f"{trials} trials, {TODAY}, {name}: {interval(regrets)}, {epochs:.0f} epochs")
    compared = [compare(outcomes, today, best) for outcomes in more_trials]
    more_epochs = [spent for _, spent, _ in compared]
    gains = [shares.mean() for shares, _, _ in compared]
    for times, spent, gain in zip(MORE_TRIALS, more_epochs, gains, strict=True):
        print(f"{trials} trials, {TODAY}, {times} times as many: {spent:.2f}x epochs, {gain:+.1%}")
    for method, by_task in found.items():
        shares, spent, told = compare(by_task, today, best)
        even = np.interp(spent, more_epochs, gains)
        print(
            f"{trials} trials, {method:24} {shares.mean():+7.1%} (p {p(shares):.2g}), {spent:.2f}x "
            f"epochs (today's with as many: {even:+7.1%}); {told}",
            flush=True,
        )
    for task in today:
        print(f"{trials} trials, left out {choose_on_others(found, best, task)}")


if __name__ == "__main__":
    main()
