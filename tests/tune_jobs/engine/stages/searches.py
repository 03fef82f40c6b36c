"""A search on a real journal, and reports that no process has made."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna

from trainables.config import Runtime
from trainables.metrics import METRICS, EpochMetrics
from trainables.trials.report import EpochReport
from trainables.trials.task import TrialTask
from tune_jobs.engine.job import Space
from tune_jobs.engine.record.journal import open_journal
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.search.early_stopping import Asha, Never, RungSettings, StoppingRule
from tune_jobs.engine.search.limits import ModelLimits, SearchLimits
from tune_jobs.engine.stages.first import FirstConfiguration
from tune_jobs.engine.stages.plan import SearchPlan
from tune_jobs.engine.stages.search import Search
from tune_jobs.engine.stages.trial_stage import TrialStage

EPOCHS = 4

FIRST = {"lr": 0.01, "a": 0.5, "b": 0.5, "c": 0.5, "unused": 1}


def space(trial: optuna.Trial) -> dict[str, Any]:
    trial.suggest_float("lr", 1e-4, 1e-1, log=True)
    return {"width": 8}


def open_search(
    journal: Path,
    *,
    trials: int = 3,
    rule: StoppingRule | None = None,
    first: int = 1,
    sampler: str = "prior",
    space: Space = space,
    limits: SearchLimits | None = None,
    model_limits: ModelLimits | None = None,
) -> Search:
    plan = SearchPlan(
        space=space,
        architecture="net",
        defaults={"net": {"architecture": "net", "epochs": 9, "depth": 2}},
        centre={},
        first=[FirstConfiguration(config=FIRST, origin="default")] * first,
        trials=trials,
        epochs=EPOCHS,
        sampler=sampler,
        seed=0,
        runtime=Runtime(device="cpu"),
        limits=limits or SearchLimits(),
        model_limits=model_limits or ModelLimits(),
    )
    backend = open_journal(journal)
    record = Record.open(backend, "job/run", lambda t: f"trial-{t.number}", METRICS["accuracy"])
    return Search(plan, record, rule or Never())


def report(epoch: int, value: float, **changes: Any) -> EpochReport:
    metrics = EpochMetrics(
        epoch=epoch, val_accuracy=value, val_loss=0.5, train_loss=1.0, seconds=0.1
    )
    return EpochReport(metrics=replace(metrics, **changes))


def run_to_the_end(stage: TrialStage, trial: TrialTask | None, value: float = 0.5) -> int:
    assert trial is not None
    for epoch in range(1, EPOCHS + 1):
        if not stage.on_report(trial.number, report(epoch, value)):
            return epoch
    raise AssertionError("the trial was not ended at its full budget")


def asha() -> Asha:
    return Asha(RungSettings(grace_period=1, reduction_factor=2, brackets=1, epochs=EPOCHS))


def wide_space(trial: optuna.Trial) -> None:
    """The process dies before the parameter that the environment names is drawn."""
    space(trial)
    for name in "abc":
        if os.environ.get("CUT") == name:
            raise InterruptedError
        trial.suggest_float(name, 0, 1)
