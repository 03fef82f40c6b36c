"""A run in simulated time."""

import heapq
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState

from searchspaces.joined import JoinedSpace
from tests.tune_jobs.engine.stages.searches import EPOCHS, report
from trainables.config import Runtime
from trainables.metrics import METRICS
from trainables.trials.report import TrainingCost
from trainables.trials.task import Stage, TrialTask
from tune_jobs.engine.job import Published
from tune_jobs.engine.record.journal import open_journal
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.search.early_stopping import Never
from tune_jobs.engine.search.limits import ModelLimits, SearchLimits
from tune_jobs.engine.stages.candidates import choose_winner, pair_name
from tune_jobs.engine.stages.first import FirstConfiguration
from tune_jobs.engine.stages.plan import SearchPlan
from tune_jobs.engine.stages.retrain import Retraining
from tune_jobs.engine.stages.search import Search
from tune_jobs.engine.stages.time_budget import END_SECONDS, TimeBudget
from tune_jobs.engine.stages.training_times import RETRAINING_SECONDS


def space(trial: optuna.Trial) -> None:
    trial.suggest_float("lr", 1e-4, 1e-1, log=True)


def cost(epoch_seconds: float, features_seconds: float = 0.0) -> TrainingCost:
    return TrainingCost(
        multiply_adds=None, epoch_seconds=epoch_seconds, features_seconds=features_seconds
    )


def _published(number: int, config: Mapping[str, Any]) -> FirstConfiguration:
    published = Published(name=str(number), config=config)
    return FirstConfiguration(config=config, origin="published", published=published)


@dataclass
class Run:
    """A run of a job whose epochs take `epoch_seconds` of each architecture.

    Attributes:
        budget: What is left after the end's own seconds; `None`: no limit.
        accuracy: By architecture; a proposal is a little better than the default.
        measured: What the probe has said.
        now: The time since the session began.
    """

    journal: Path
    epoch_seconds: Mapping[str, float]
    budget: float | None
    slots: int = 1
    seeds: int = 3
    top: int = 1
    trials: int = 1000
    accuracy: Mapping[str, float] = field(default_factory=dict)
    measured: Mapping[str, float] = field(default_factory=dict)
    least_epochs: Mapping[str, int] = field(default_factory=dict)
    going_on: Collection[str] = ()
    folds: int = 1
    limits: SearchLimits = SearchLimits()
    portfolio: Sequence[Mapping[str, Any]] = ()
    published: Sequence[Mapping[str, Any]] = ()
    now: float = 0.0

    def open(self) -> None:
        names = list(self.epoch_seconds)
        budget = TimeBudget(
            seconds=None if self.budget is None else self.budget + END_SECONDS,
            began=self.now,
            clock=lambda: self.now,
            count_slots=lambda: self.slots,
            retrain_top=self.top,
            retrain_seeds=self.seeds,
            costs={name: cost(seconds) for name, seconds in self.measured.items()},
            num_folds=self.folds,
        )
        defaults = {n: {"architecture": n, "lr": 0.01, "epochs": EPOCHS} for n in names}
        plan = SearchPlan(
            space=JoinedSpace(dict.fromkeys(names, space)) if len(names) > 1 else space,
            architecture=names[0],
            defaults=defaults,
            centre={},
            first=[
                *(_published(number, config) for number, config in enumerate(self.published)),
                *(FirstConfiguration(config=defaults[n], origin="default") for n in names),
                *(FirstConfiguration(config=c, origin="search") for c in self.portfolio),
            ],
            trials=self.trials,
            epochs=EPOCHS,
            sampler="random",
            seed=0,
            runtime=Runtime(device="cpu"),
            limits=self.limits,
            model_limits=ModelLimits(),
            budget=budget,
            reference_seed=1,
            going_on=self.going_on,
            least_epochs=self.least_epochs,
        )
        storage, metric = open_journal(self.journal), METRICS["accuracy"]
        searched = Record.open(storage, "job/run", lambda t: f"trial-{t.number}", metric)
        retrained = Record.open(storage, "job/run/retrain", pair_name, metric)
        self.search = Search(plan, searched, Never())
        seeds = range(1, self.seeds + 1)
        self.retraining = Retraining(self.search, retrained, top=self.top, seeds=seeds)

    def go(self) -> "Run":
        """Run to the end, with as many tasks at once as there are slots."""
        self.open()
        running: list[tuple[float, int, int, TrialTask]] = []
        order = iter(range(10**6))
        while not self.retraining.finished:
            while len(running) < self.slots and (
                task := self.search.next_task() or self.retraining.next_task()
            ):
                due = self.now + self._takes(task, task.epochs_reported + 1)
                heapq.heappush(running, (due, next(order), task.epochs_reported + 1, task))
            assert running, "it is not finished, and gives nothing"
            self.now, _, epoch, task = heapq.heappop(running)
            stage = self.search if task.stage is Stage.SEARCH else self.retraining
            value = self._value(task)
            if stage.on_report(task.number, report(epoch, value, seconds=self._epoch(task))):
                due = self.now + self._takes(task, epoch + 1)
                heapq.heappush(running, (due, next(order), epoch + 1, task))
        return self

    def _takes(self, task: TrialTask, epoch: int) -> float:
        """The seconds to a report: a retraining's last one waits for the look at the test split,
        and those of one that goes on from a trial's end for nothing else."""
        own = self._epoch(task)
        if task.stage is Stage.SEARCH:
            return own
        test = own + RETRAINING_SECONDS if epoch == task.config["epochs"] else 0
        pair = self.retraining.record.trial(task.number).pair
        ended = self.search.record.trials(TrialState.COMPLETE)
        return test if pair in {trial.goes_on_with for trial in ended} else own + test

    def _epoch(self, task: TrialTask) -> float:
        """The seconds of an epoch: of a model for each fold, or of one."""
        num_models = self.folds if task.stage is Stage.SEARCH else 1
        return num_models * self.epoch_seconds[task.config["architecture"]]

    def _value(self, task: TrialTask) -> float:
        name = task.config["architecture"]
        is_default = task.config["lr"] == 0.01
        of_the_seed = (task.seed * len(name) % 5 - 2) / 1000
        return self.accuracy.get(name, 0.9) + of_the_seed + (0 if is_default else 0.01)

    @property
    def trained(self) -> Counter[int]:
        """The seeds of each candidate that were trained to the end."""
        return Counter(t.pair[0] for t in self.retraining.record.trials(TrialState.COMPLETE))

    @property
    def has_winner(self) -> bool:
        metric, limits = METRICS["accuracy"], ModelLimits()
        return choose_winner(self.retraining.results(), metric, limits) is not None
