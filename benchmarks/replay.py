"""Searches replayed in simulated time on curves that a surrogate predicts."""

import heapq
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import HyperbandPruner, SuccessiveHalvingPruner, WilcoxonPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import InMemoryStorage

from benchmarks.record_curves import Task
from benchmarks.surrogate import Surrogate
from trainables.config import Configuration, Runtime, number_entries
from trainables.metrics import METRICS, EpochMetrics
from trainables.registry import default_of, recipe_of
from trainables.trials.report import EpochReport
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.search.early_stopping import RULES, Asha, RungSettings, StoppingRule
from tune_jobs.engine.search.limits import ModelLimits, SearchLimits
from tune_jobs.engine.stages.first import FirstConfiguration
from tune_jobs.engine.stages.plan import SearchPlan
from tune_jobs.engine.stages.search import Search

WORKERS = 4


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
        self.task = task
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
                FirstConfiguration(config=self.first(task, recipe), origin="default"),
                *(FirstConfiguration(config=config, origin="search") for config in portfolio),
            ],
            trials=trials,
            epochs=task.epochs,
            sampler=sampler,
            seed=seed,
            runtime=Runtime(device="cpu"),
            limits=SearchLimits(),
            model_limits=ModelLimits(),
        )
        record = Record.open(
            InMemoryStorage(), "replay", lambda t: f"{t.number}", METRICS["accuracy"]
        )
        self.search = Search(plan, record, self.rule(settings))

    def first(self, task: Task, recipe: Configuration) -> Configuration:
        return recipe

    def rule(self, settings: RungSettings) -> StoppingRule:
        return RULES["asha"](settings)

    def ask(self) -> tuple[int, Mapping[str, Any]] | None:
        task = self.search.next_task()
        if task is None:
            return None
        return task.number, self.search.record.trials()[task.number].params

    def report(self, number: int, epoch: int, accuracy: float) -> bool:
        metrics = EpochMetrics(epoch=epoch, seconds=0.0, val_loss=0.0, val_accuracy=accuracy)
        return self.search.on_report(number, EpochReport(metrics=metrics))


class Before(Ours):
    """The project at c302f04, but in today's space: plain TPE from the old default, which is not
    stopped, and the weights as they are."""

    averages = False

    def __init__(self, task: Task, trials: int, seed: int) -> None:
        super().__init__(task, trials, seed, sampler="tpe")

    def first(self, task: Task, recipe: Configuration) -> Configuration:
        return default_of(task.architecture, task.epochs)

    def rule(self, settings: RungSettings) -> StoppingRule:
        return FirstExempt(settings)


class FirstExempt(Asha):
    def goes_on(self, number: int, epoch: int, score: float) -> bool:
        return super().goes_on(number, epoch, score) or number == 0


METHODS: dict[str, Callable[[Task, int, int], Method]] = {
    "random + ASHA": lambda t, n, s: Rival(t, n, RandomSampler(seed=s), asha=True),
    "Ray's stock": lambda t, n, s: Rival(t, n, TPESampler(seed=s), asha=True),
    "TPE + SH": lambda t, n, s: Rival(t, n, TPESampler(seed=s), pruner=SuccessiveHalvingPruner()),
    "TPE + Hyperband": lambda t, n, s: Rival(
        t, n, TPESampler(seed=s), pruner=HyperbandPruner(max_resource=t.epochs)
    ),
    "TPE + Wilcoxon": lambda t, n, s: Rival(t, n, TPESampler(seed=s), pruner=wilcoxon()),
    "TPE at 3 epochs": lambda t, n, s: Rival(t, n, TPESampler(seed=s), stop_at=3),
    "ours at c302f04": Before,
    "ours with tpe": lambda t, n, s: Ours(t, n, s, sampler="tpe"),
    "ours": lambda t, n, s: Ours(t, n, s),
}


def wilcoxon() -> optuna.pruners.BasePruner:
    with warnings.catch_warnings():  # Optuna calls it experimental
        warnings.simplefilter("ignore", ExperimentalWarning)
        return WilcoxonPruner()


@dataclass(frozen=True, kw_only=True)
class Moment:
    """What a search would ship after so many trial-epochs, and so many seconds."""

    epochs: int
    seconds: float
    shipped: float


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a search has come to: moments at which it had something better, and its end."""

    moments: tuple[Moment, ...]
    at_chance: float  # the share of epochs of trials that end within 10 % of chance

    @property
    def end(self) -> Moment:
        return self.moments[-1]

    def after(self, *, epochs: float = np.inf, seconds: float = np.inf) -> float:
        """Return the accuracy that would be shipped by then."""
        known = [m for m in self.moments if m.epochs <= epochs and m.seconds <= seconds]
        return known[-1].shipped


def replay(method: Method, task: Task, surrogate: Surrogate, seed: int) -> Outcome:
    random = np.random.default_rng(seed)
    spent, wasted, now = 0, 0, 0.0
    best_seen = -1.0
    moments = [Moment(epochs=0, seconds=0.0, shipped=task.chance)]
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
            best_seen = seen
            moments.append(Moment(epochs=spent, seconds=now, shipped=float(values[-1])))
        if goes_on and epoch < task.epochs:
            heapq.heappush(queue, (now + curve.seconds, number, epoch + 1, params))
        else:
            begin(now)
    moments.append(Moment(epochs=spent, seconds=now, shipped=moments[-1].shipped))
    return Outcome(moments=tuple(moments), at_chance=wasted / max(1, spent))
