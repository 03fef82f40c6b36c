"""TensorBoard logs of a run, fed by the record: one folder per trial, open while it runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.trial import TrialState

from tune_jobs.engine.results.tensorboard import TrialLog, write_hparams_config
from tune_jobs.engine.search.early_stopping import StoppingRule
from tune_jobs.engine.search.record import Ended

TAGS = {
    "train_accuracy": "accuracy/train",
    "val_accuracy": "accuracy/val",
    "test_accuracy": "accuracy/test",
    "train_loss": "loss/train",
    "val_loss": "loss/val",
    "lr": "lr",
}


class TrialLogs:
    """A `Listener` that writes what the record is told.

    Args:
        folder: The run's `tensorboard` folder.
        distributions: What the search space suggests from, by name.
    """

    def __init__(self, folder: Path, distributions: Mapping[str, BaseDistribution]) -> None:
        self._folder = folder
        self._hparams = tuple(distributions)
        self._open: dict[str, TrialLog] = {}
        write_hparams_config(folder, distributions)

    def begin(self, num_trials: int, rule: StoppingRule, earlier: Sequence[Ended]) -> None:
        """Nothing to write before the first trial."""

    def started(self, name: str, config: Mapping[str, Any]) -> None:
        given = {key: config[key] for key in self._hparams if key in config}
        hparams = {key: "none" if value is None else value for key, value in given.items()}
        self._open[name] = TrialLog(self._folder / name, hparams)

    def training(self, name: str, epochs_done: int) -> None:
        """Nothing to write before the first report."""

    def reported(self, name: str, figures: Mapping[str, Any]) -> None:
        scalars = {tag: figures[key] for key, tag in TAGS.items() if key in figures}
        self._open[name].add_epoch(figures["epoch"], scalars)

    def ended(self, name: str, state: TrialState, reason: str) -> None:
        self._open.pop(name).close("failure" if state == TrialState.FAIL else "success")
