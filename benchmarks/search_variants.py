"""What else could help a search: variants of its stopping rule and of its proposals, replayed.

    python -m benchmarks.search_variants [TASK ...] [--seeds 30] [--variants NAME ...] [--keep FILE]

Every variant is compared with today's search, seed by seed: how much more regret it has at its end;
p is Wilcoxon's. Over all tasks, differences are shares of today's mean regret of each task. One
that trains more is compared with what today's search gains by as many epochs of more trials.
"""

import argparse
import statistics
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import optuna
from scipy.stats import wilcoxon

from benchmarks import replay
from benchmarks.replay import Outcome
from benchmarks.search_quality import Kept, interval
from benchmarks.surrogate import recorded
from benchmarks.variants import VARIANTS, methods
from trainables.config import Configuration
from trainables.registry import recipe_of

MORE_TRIALS = (1.0, 1.25, 1.5, 2.0)
"""Today's search is replayed with so many times the trials, too."""

COMPLETE = ("digits_cnn", "fashion_mlp", "fruits_mlp", "aliens_head", "fashion_classical")
TODAY = "ours"

Shares = np.ndarray[Any, np.dtype[np.float64]]


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
    parser.add_argument(
        "--lr-times",
        type=float,
        default=1.0,
        help="of the recipe's rate: a wrong recipe",
    )
    given = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with patch.object(replay, "recipe_of", partial(spoil, given.lr_times)):
        replay_and_show(given)


def spoil(lr_times: float, default: Configuration) -> Configuration:
    recipe = recipe_of(default)
    return {**recipe, "lr": recipe["lr"] * lr_times} if "lr" in recipe else recipe


def replay_and_show(given: argparse.Namespace) -> None:
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
