"""Regret of searches that begin with what was best on other tasks: leave one task out.

    python -m benchmarks.portfolio [--seeds 30] [--trials 16] [--sizes 1 2 3]

For each task a portfolio is chosen greedily on the other tasks of its architecture: each entry is
the recorded configuration that lowers the mean regret there most, beside the recipe and what was
chosen before. The search on the task left out tries it right after the recipe. The same
configurations were recorded on all tasks, so that task's surrogate is fitted without the chosen
ones: else they alone would be known exactly, and all others by a smoothed prediction.
"""

import argparse
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import optuna

from benchmarks.record_curves import FOLDER, TASKS
from benchmarks.replay import Ours, replay
from benchmarks.search_quality import interval
from benchmarks.surrogate import Surrogate
from trainables.config import Configuration, complete_config
from trainables.registry import default_of, recipe_of
from tune_jobs.engine.stages.first import FirstConfiguration, fit

GROUPS = (("digits_cnn", "flowers_cnn", "cifar_cnn"), ("fashion_mlp", "fruits_mlp", "aliens_head"))

TRIED_ON_ALONE = ("aliens_head",)
"""Tasks whose own best are in no portfolio: heads, on features in place of images."""

Params = Mapping[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--trials", type=int, nargs="+", default=[16])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 2, 3])
    given = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    for group in GROUPS:
        names = [name for name in group if (FOLDER / f"{name}.parquet").exists()]
        known = {name: fitted_surrogate(name) for name in names}
        for name in names:
            others = {
                other: known[other]
                for other in names
                if other != name and other not in TRIED_ON_ALONE
            }
            chosen = choose(others, max(given.sizes))
            for params in chosen:
                print(f"{name}: {params}")
            surrogate = fitted_surrogate(name, without=chosen)
            for trials in given.trials:
                compare(name, surrogate, chosen, trials, given.seeds, given.sizes)
        known = {name: known[name] for name in names if name not in TRIED_ON_ALONE}
        for params in choose(known, max(given.sizes)):
            print(f"all of {', '.join(known)}: {params}")


def fitted_surrogate(name: str, without: Sequence[Params] = ()) -> Surrogate:
    task = TASKS[name]
    path = FOLDER / f"{name}.parquet"
    return Surrogate(path, epochs=task.epochs, validation=task.validation, without=without)


def choose(others: Mapping[str, Surrogate], size: int) -> list[Params]:
    """Choose configurations greedily by their mean regret on the tasks; ties by their own mean."""
    candidates = [params for surrogate in others.values() for params in surrogate.params]
    reached = np.array(
        [
            [
                accuracy(name, surrogate, complete(name, params))
                for name, surrogate in others.items()
            ]
            for params in candidates
        ]
    )
    regrets = reached.max(axis=0) - reached
    held = reached.max(axis=0) - [
        accuracy(name, surrogate, recipe_of(complete(name, {})))
        for name, surrogate in others.items()
    ]
    chosen: list[Params] = []
    for _ in range(size):
        means = np.minimum(regrets, held).mean(axis=1) + 1e-3 * regrets.mean(axis=1)
        means[[params in chosen for params in candidates]] = np.inf
        best = int(means.argmin())
        chosen.append(candidates[best])
        held = np.minimum(held, regrets[best])
    return chosen


def complete(name: str, params: Params) -> Configuration:
    task = TASKS[name]
    return complete_config(default_of(task.architecture, task.epochs), params)


def accuracy(name: str, surrogate: Surrogate, config: Configuration) -> float:
    """Return what a configuration, fitted to the task's space, reaches with averaged weights."""
    task = TASKS[name]
    first = FirstConfiguration(config=config, origin="search")
    fitted = fit(first, task.space, task.architecture, {task.architecture: complete(name, {})})
    return float(surrogate.curve(fitted.params).averaged[-1])


def compare(
    name: str,
    surrogate: Surrogate,
    chosen: Sequence[Params],
    trials: int,
    seeds: int,
    sizes: Sequence[int],
) -> None:
    """Print the regret of searches with portfolios of these sizes, and their gain by seed."""
    task = TASKS[name]
    portfolio = [complete(name, params) for params in chosen]
    shipped: dict[int, list[float]] = {}
    epochs: dict[int, list[float]] = {}
    for size in (0, *sizes):
        for seed in range(seeds):
            method = Ours(task, trials, seed, portfolio=portfolio[:size])
            outcome = replay(method, task, surrogate, seed)
            shipped.setdefault(size, []).append(outcome.end.shipped)
            epochs.setdefault(size, []).append(outcome.end.epochs)
    best = max(max(values) for values in shipped.values())
    for size, values in shipped.items():
        gains = [now - was for now, was in zip(values, shipped[0], strict=True)]
        print(
            f"{name:12} {trials:3} trials, portfolio of {size}: regret "
            f"{interval([best - value for value in values])}, lower by {interval(gains)}, "
            f"{statistics.fmean(epochs[size]):4.0f} epochs",
            flush=True,
        )


if __name__ == "__main__":
    main()
