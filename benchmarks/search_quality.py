"""Regret of whole searches, replayed on recorded learning curves.

    python -m benchmarks.search_quality [TASK ...] [--seeds 30] [--methods a,b]

A search has four workers, which train epoch by epoch in simulated time; a curve is what a surrogate
predicts (its error is printed), with the noise of a validation set of the recorded size. Regret is
the accuracy, without noise, of what the search would ship, under the best that any method has found
on that task. Rivals see and ship the weights as they are, as Ray's and Optuna's documentation
trains; `--averaged` gives them the averaged ones too.
"""

import argparse
import heapq
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import optuna
from optuna.pruners import HyperbandPruner, SuccessiveHalvingPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import InMemoryStorage

from benchmarks.record_curves import FOLDER, TASKS, Task
from benchmarks.surrogate import Surrogate
from trainables.config import Configuration, Runtime, number_entries
from trainables.metrics import METRICS, EpochMetrics
from trainables.registry import default_of, recipe_of
from trainables.trials.report import EpochReport
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.search.early_stopping import RULES, Asha, RungSettings
from tune_jobs.engine.stages.first import FirstConfiguration
from tune_jobs.engine.stages.search import Search, SearchPlan

WORKERS = 4
AVERAGED = "averaged"


class Method(Protocol):
    """A search: proposes parameters by number, takes reports, says what goes on."""

    averages: bool

    def ask(self) -> tuple[int, Mapping[str, Any]] | None: ...
    def report(self, number: int, epoch: int, accuracy: float) -> bool: ...


class Rival:
    """An Optuna sampler, and Ray's ASHA, one of Optuna's pruners, or one fixed epoch."""

    averages = False

    def __init__(
        self,
        task: Task,
        trials: int,
        sampler: BaseSampler,
        *,
        asha: bool = False,
        pruner: optuna.pruners.BasePruner | None = None,
        stop_at: int | None = None,
    ) -> None:
        self.task, self.trials = task, trials
        self.study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
        # `ASHAScheduler()`: grace_period 1, reduction_factor 4.
        settings = RungSettings(grace_period=1, reduction_factor=4, brackets=1, epochs=task.epochs)
        self.rule = Asha(settings) if asha else None
        self.pruner, self.stop_at = pruner, stop_at
        self.running: dict[int, optuna.Trial] = {}
        self.count = 0

    def ask(self) -> tuple[int, Mapping[str, Any]] | None:
        if self.count == self.trials:
            return None
        self.count += 1
        trial = self.study.ask()
        self.task.space(trial)
        self.running[trial.number] = trial
        return trial.number, trial.params

    def report(self, number: int, epoch: int, accuracy: float) -> bool:
        trial = self.running[number]
        trial.report(accuracy, epoch)
        goes_on = epoch < self.task.epochs
        if goes_on and self.rule:
            goes_on = self.rule.goes_on(number, epoch, accuracy)
        if goes_on and self.pruner:
            goes_on = not trial.should_prune()
        if self.stop_at == epoch:
            goes_on = False
        if not goes_on:
            self.study.tell(trial, accuracy)  # Ray tells Optuna a stopped trial's last result
        return goes_on


class Ours:
    """The project's own `Search`; a portfolio is tried right after the recipe."""

    averages = True

    def __init__(
        self,
        task: Task,
        trials: int,
        seed: int,
        *,
        sampler: str = "prior",
        portfolio: Sequence[Configuration] = (),
    ) -> None:
        recipe = recipe_of(default_of(task.architecture, task.epochs))
        settings = RungSettings(
            grace_period=max(1, task.epochs // 10),
            reduction_factor=3,
            brackets=1,
            epochs=task.epochs,
        )
        names = ["svm", "logistic_regression", "random_forest", "boosted_trees"]
        names = names if task.architecture == "svm" else [task.architecture]
        plan = SearchPlan(
            space=task.space,
            architecture=task.architecture,
            defaults={name: default_of(name, task.epochs) for name in names},
            centre=number_entries(recipe),
            first=[
                FirstConfiguration(config=recipe, origin="default"),
                *(FirstConfiguration(config=config, origin="search") for config in portfolio),
            ],
            trials=trials,
            epochs=task.epochs,
            sampler=sampler,
            seed=seed,
            runtime=Runtime(device="cpu"),
            time_budget=None,
        )
        record = Record.open(
            InMemoryStorage(), "replay", lambda t: f"{t.number}", METRICS["accuracy"]
        )
        self.search = Search(plan, record, RULES["asha"](settings))

    def ask(self) -> tuple[int, Mapping[str, Any]] | None:
        task = self.search.next_task()
        if task is None:
            return None
        return task.number, self.search.record.study.trials[task.number].params

    def report(self, number: int, epoch: int, accuracy: float) -> bool:
        metrics = EpochMetrics(epoch=epoch, seconds=0.0, val_loss=0.0, val_accuracy=accuracy)
        return self.search.on_report(number, EpochReport(metrics=metrics))


METHODS: dict[str, Callable[[Task, int, int], Method]] = {
    "random + ASHA": lambda t, n, s: Rival(t, n, RandomSampler(seed=s), asha=True),
    "Ray's stock": lambda t, n, s: Rival(t, n, TPESampler(seed=s), asha=True),
    "TPE + SH": lambda t, n, s: Rival(t, n, TPESampler(seed=s), pruner=SuccessiveHalvingPruner()),
    "TPE + Hyperband": lambda t, n, s: Rival(
        t, n, TPESampler(seed=s), pruner=HyperbandPruner(max_resource=t.epochs)
    ),
    "TPE at 3 epochs": lambda t, n, s: Rival(t, n, TPESampler(seed=s), stop_at=3),
    "ours with tpe": lambda t, n, s: Ours(t, n, s, sampler="tpe"),
    "ours": lambda t, n, s: Ours(t, n, s),
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a search has come to: the accuracy that it would ship after so many trial-epochs."""

    epochs: tuple[int, ...]
    shipped: tuple[float, ...]
    at_chance: float  # the share of epochs of trials that end within 10 % of chance

    def after(self, epochs: float) -> float:
        known = [s for e, s in zip(self.epochs, self.shipped, strict=True) if e <= epochs]
        return known[-1] if known else 0.0


def replay(method: Method, task: Task, surrogate: Surrogate, seed: int) -> Outcome:
    random = np.random.default_rng(seed)
    spent, wasted = 0, 0
    best_seen, shipped = -1.0, task.chance
    history: list[tuple[int, float]] = [(0, shipped)]
    queue: list[tuple[float, int, int, Mapping[str, Any]]] = []

    def begin(now: float) -> None:
        asked = method.ask()
        if asked:
            number, params = asked
            heapq.heappush(queue, (now + surrogate.curve(params).seconds, number, 1, params))

    for _ in range(WORKERS):
        begin(0.0)
    while queue:
        now, number, epoch, params = heapq.heappop(queue)
        curve = surrogate.curve(params)
        values = curve.averaged if method.averages else curve.raw
        true = float(values[epoch - 1])
        noise = np.sqrt(max(true * (1 - true), 0.0) / surrogate.validation) / 2
        seen = float(np.clip(true + noise * random.standard_normal(), 0, 1))
        spent += 1
        wasted += values[-1] < 1.1 * task.chance
        goes_on = method.report(number, epoch, seen)
        is_last = epoch == task.epochs or getattr(method, "stop_at", None) == epoch
        if is_last and seen > best_seen:
            best_seen, shipped = seen, float(values[-1])
            history.append((spent, shipped))
        if goes_on and epoch < task.epochs:
            heapq.heappush(queue, (now + curve.seconds, number, epoch + 1, params))
        else:
            begin(now)
    history.append((spent, shipped))
    return Outcome(
        epochs=tuple(e for e, _ in history),
        shipped=tuple(s for _, s in history),
        at_chance=wasted / max(1, spent),
    )


def interval(values: Sequence[float]) -> str:
    mean = statistics.fmean(values)
    error = 1.96 * statistics.stdev(values) / np.sqrt(len(values)) if len(values) > 1 else 0.0
    return f"{mean:.4f} ±{error:.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=", ".join(TASKS))
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--trials", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--methods", help="names, with commas (default: all)")
    parser.add_argument("--averaged", action="store_true")
    given = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    methods = given.methods.split(",") if given.methods else list(METHODS)
    for name in given.tasks or TASKS:
        task, path = TASKS[name], FOLDER / f"{name}.parquet"
        if not path.exists():
            print(f"{name}: not recorded")
            continue
        surrogate = Surrogate(path, epochs=task.epochs, validation=task.validation)
        correlation, error = surrogate.errors()
        print(
            f"\n{name}: {len(surrogate.params)} configurations; surrogate's rank correlation "
            f"{correlation:.2f}, mean error {error:.3f}"
        )
        for trials in given.trials:
            found: dict[str, list[Outcome]] = {}
            for method in methods:
                for seed in range(given.seeds):
                    made = METHODS[method](task, trials, seed)
                    made.averages |= given.averaged
                    outcome = replay(made, task, surrogate, seed)
                    found.setdefault(method, []).append(outcome)
            best = max(o.shipped[-1] for outcomes in found.values() for o in outcomes)
            target = None
            if "Ray's stock" in found:
                target = statistics.fmean(best - o.shipped[-1] for o in found["Ray's stock"])
            for method, outcomes in found.items():
                regrets = [best - o.shipped[-1] for o in outcomes]
                spent = statistics.fmean(o.epochs[-1] for o in outcomes)
                waste = statistics.fmean(o.at_chance for o in outcomes)
                print(
                    f"  {trials:3} trials  {method:18} regret {interval(regrets)}  "
                    f"{spent:5.0f} epochs, {waste:4.0%} at chance"
                    + reaches(outcomes, best, target),
                    flush=True,
                )


def reaches(outcomes: Sequence[Outcome], best: float, target: float | None) -> str:
    """Say after how many epochs the mean regret is as low as Ray's stock search's at its end."""
    if target is None:
        return ""
    last = int(max(outcome.epochs[-1] for outcome in outcomes))
    for epochs in range(1, last + 1):
        if statistics.fmean(best - o.after(epochs) for o in outcomes) <= target:
            return f", Ray's regret after {epochs}"
    return ", Ray's regret not reached"


if __name__ == "__main__":
    main()
