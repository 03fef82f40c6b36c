"""Define the function that Ray Tune calls in a worker process."""

from collections.abc import Callable
from typing import Any

from ray import tune

from trainables.trials.task import task_from_json
from trainables.worker.run_task import run_task
from trainables.worker.settings import TrialSettings
from tune_jobs.engine.ray_tune.bridge import pack_report


def build_trainable(settings: TrialSettings) -> Callable[[dict[str, Any]], None]:
    """Bind `train_trial` to the settings of one run, which Ray keeps in its object store."""
    trainable: Callable[[dict[str, Any]], None] = tune.with_parameters(
        train_trial, settings=settings
    )
    return trainable


def train_trial(config: dict[str, Any], settings: TrialSettings) -> None:
    """Do the task that `config` holds; Ray Tune may end the process within a report."""
    run_task(task_from_json(config), settings, lambda report: tune.report(pack_report(report)))
