"""Log a run for TensorBoard as its record is written: one folder per trial, open while it runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.trial import TrialState

from trainables.metrics import EpochMetrics
from tune_jobs.engine.record.listener import Listener, Past
from tune_jobs.engine.results.tensorboard.event_files import TrialLog, write_hparams_config

TAGS = {
    "train_accuracy": "accuracy/train",
    "val_accuracy": "accuracy/val",
    "test_accuracy": "accuracy/test",
    "val_balanced_accuracy": "metrics/val_balanced_accuracy",
    "test_balanced_accuracy": "metrics/test_balanced_accuracy",
    "val_macro_f1": "metrics/val_macro_f1",
    "test_macro_f1": "metrics/test_macro_f1",
    "val_auroc": "metrics/val_auroc",
    "test_auroc": "metrics/test_auroc",
    "train_loss": "loss/train",
    "val_loss": "loss/val",
    "lr": "lr",
}


def scalars_of(metrics: EpochMetrics) -> dict[str, float]:
    """Return the metrics of an epoch that are known and finite, by `TAGS`."""
    known = metrics.to_json()
    return {tag: known[key] for key, tag in TAGS.items() if key in known}


class TrialLogs(Listener):
    """Writes what the record is told into TensorBoard's logs.

    Args:
        folder: The run's `tensorboard` folder.
        distributions: The distributions that the search space suggests from, by name.
    """

    def __init__(self, folder: Path, distributions: Mapping[str, BaseDistribution]) -> None:
        self._folder = folder
        self._hparams = tuple(distributions)
        self._open: dict[str, TrialLog] = {}
        write_hparams_config(folder, distributions)

    def started(self, name: str, config: Mapping[str, Any], past: Past) -> None:
        given = {key: config[key] for key in self._hparams if key in config}
        hparams = {key: "none" if value is None else value for key, value in given.items()}
        self._open[name] = TrialLog(self._folder / name, hparams)

    def reported(self, name: str, metrics: EpochMetrics) -> None:
        self._open[name].add_epoch(metrics.epoch, scalars_of(metrics))

    def ended(self, name: str, state: TrialState, reason: str) -> None:
        self._open.pop(name).close("failure" if state == TrialState.FAIL else "success")
