"""Regret of whole searches, replayed on recorded learning curves.

    python -m benchmarks.search_quality [TASK ...] [--seeds 30] [--methods a,b]

A search has four workers, which train epoch by epoch in simulated time; a curve is what a surrogate
predicts (its error is printed), with the noise of a validation set of the recorded size. Regret is
the accuracy, without noise, of what the search would ship, under the best that any method has found
on that task. Rivals see and ship the weights as they are, as Ray's and Optuna's documentation
trains.
"""

import argparse
import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import optuna

from benchmarks.record_curves import TASKS, Task
from benchmarks.replay import METHODS, Method, Moment, Outcome, replay
from benchmarks.surrogate import Surrogate, recorded


def interval(values: Sequence[float]) -> str:
    mean = statistics.fmean(values)
    error = 1.96 * statistics.stdev(values) / np.sqrt(len(values)) if len(values) > 1 else 0.0
    return f"{mean:.4f} ±{error:.4f}"


class Kept:
    """Outcomes in a file, a JSON line each; without a file they are kept for this run alone."""

    def __init__(
        self, path: Path | None, methods: Mapping[str, Callable[[Task, int, int], Method]] = METHODS
    ) -> None:
        self.path, self.methods = path, methods
        lines = path.read_text().splitlines() if path and path.exists() else []
        self.found = {_key(line): _outcome(line) for line in map(json.loads, lines)}

    def of(self, name: str, surrogate: Surrogate, trials: int, method: str, seed: int) -> Outcome:
        key = name, trials, method, seed
        if key not in self.found:
            task = TASKS[name]
            self.found[key] = replay(
                self.methods[method](task, trials, seed), task, surrogate, seed
            )
            if self.path:
                line = {"key": key, **asdict(self.found[key])}
                with self.path.open("a") as file:
                    file.write(json.dumps(line) + "\n")
        return self.found[key]

    def best(self, name: str) -> float:
        """Return the best accuracy that any search of the task would ship."""
        return max(o.end.shipped for (task, *_), o in self.found.items() if task == name)


def _key(line: Mapping[str, Any]) -> tuple[str, int, str, int]:
    name, trials, method, seed = line["key"]
    return name, trials, method, seed


def _outcome(line: Mapping[str, Any]) -> Outcome:
    moments = tuple(Moment(**moment) for moment in line["moments"])
    return Outcome(moments=moments, at_chance=line["at_chance"])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=", ".join(TASKS))
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--trials", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--methods", help="names, with commas (default: all)")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="outcomes, not replayed again")
    given = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    methods = given.methods.split(",") if given.methods else list(METHODS)
    kept = Kept(given.keep)
    for name, _, surrogate in recorded(given.tasks):
        correlation, error = surrogate.errors()
        print(
            f"\n{name}: {len(surrogate.params)} configurations; surrogate's rank correlation "
            f"{correlation:.2f}, mean error {error:.3f}"
        )
        for trials in given.trials:
            found = {
                method: [
                    kept.of(name, surrogate, trials, method, seed) for seed in range(given.seeds)
                ]
                for method in methods
            }
            show(trials, found)


def show(trials: int, found: Mapping[str, Sequence[Outcome]]) -> None:
    best = max(o.end.shipped for outcomes in found.values() for o in outcomes)
    stock = found.get("Ray's stock")
    for method, outcomes in found.items():
        regrets = [best - o.end.shipped for o in outcomes]
        spent = statistics.fmean(o.end.epochs for o in outcomes)
        seconds = statistics.fmean(o.end.seconds for o in outcomes)
        waste = statistics.fmean(o.at_chance for o in outcomes)
        print(
            f"  {trials:3} trials  {method:18} regret {interval(regrets)}  "
            f"{spent:5.0f} epochs {seconds:5.0f} s, {waste:4.0%} at chance"
            + (reaches(outcomes, stock) if stock else ""),
            flush=True,
        )


def reaches(outcomes: Sequence[Outcome], stock: Sequence[Outcome]) -> str:
    """Say when the mean accuracy is as high as that of Ray's stock search at its end."""
    target = statistics.fmean(o.end.shipped for o in stock)
    epochs = sorted({m.epochs for o in outcomes for m in o.moments})
    seconds = sorted({m.seconds for o in outcomes for m in o.moments})
    by_epochs = [e for e in epochs if mean_after(outcomes, epochs=e) >= target]
    by_seconds = [s for s in seconds if mean_after(outcomes, seconds=s) >= target]
    if not by_epochs:
        return ", Ray's regret not reached"
    return f", Ray's regret after {by_epochs[0]} epochs, {by_seconds[0]:.0f} s"


def mean_after(outcomes: Sequence[Outcome], **limit: float) -> float:
    return statistics.fmean(outcome.after(**limit) for outcome in outcomes)


if __name__ == "__main__":
    main()
