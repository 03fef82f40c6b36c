"""A search's record, written by hand."""

from collections.abc import Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState, create_trial

from trainables.metrics import METRICS, Direction, EpochMetrics
from tune_jobs.engine.record.record import Record

LR: dict[str, BaseDistribution] = {"lr": FloatDistribution(0, 1)}


def trial_of(
    accuracies: Sequence[float],
    state: TrialState = TrialState.PRUNED,
    params: dict[str, Any] | None = None,
    space: dict[str, BaseDistribution] = LR,
    system_attrs: dict[str, Any] | None = None,
    **attributes: Any,
) -> FrozenTrial:
    """A trial of those validation accuracies, an epoch each; the last is a complete one's value."""
    epochs = {
        f"epoch_{epoch}": {
            "epoch": epoch,
            "seconds": 1.0,
            "val_loss": 1.0,
            "val_accuracy": accuracy,
        }
        for epoch, accuracy in enumerate(accuracies, start=1)
    }
    return create_trial(
        state=state,
        value=accuracies[-1] if state == TrialState.COMPLETE else None,
        params={"lr": 0.5} if params is None else params,
        distributions=space,
        intermediate_values=dict(enumerate(accuracies, start=1)),
        user_attrs={**epochs, **attributes},
        system_attrs=system_attrs,
    )


def epoch_of(accuracy: float, val_loss: float = 1.0, **figures: Any) -> EpochMetrics:
    return EpochMetrics(epoch=1, seconds=1.0, val_loss=val_loss, val_accuracy=accuracy, **figures)


def study_of(trials: Sequence[FrozenTrial], direction: Direction = "maximize") -> Study:
    study = optuna.create_study(direction=direction)
    study.add_trials(trials)
    return study


def record_of(trials: Sequence[FrozenTrial], seconds: float = 60.0) -> Record:
    record = Record(study_of(trials), lambda t: f"trial-{t.number}", METRICS["accuracy"])
    record.add_seconds(seconds)
    return record
