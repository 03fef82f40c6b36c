"""Who is told what the record has just been told: the live view, TensorBoard's logs."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from optuna.trial import TrialState

from trainables.metrics import EpochMetrics
from tune_jobs.engine.search.early_stopping import StoppingRule


class Ended(NamedTuple):
    """A trial that an earlier session has ended."""

    name: str
    state: TrialState
    value: float | None


class Listener:
    """Override what matters to you; nothing happens otherwise."""

    def begin(self, num_trials: int, rule: StoppingRule, earlier: Sequence[Ended]) -> None:
        """Called before the first trial of a session, with the trials of earlier ones."""

    def started(self, name: str, config: Mapping[str, Any]) -> None:
        """Called with a proposal's configuration, and its parameters as the space names them."""

    def training(self, name: str, epochs_done: int) -> None:
        """Called when a process begins on the trial, once the cluster has room."""

    def reported(self, name: str, metrics: EpochMetrics) -> None:
        """Called with each epoch that the record did not have."""

    def ended(self, name: str, state: TrialState, reason: str) -> None:
        """Called with a trial's end and why it came."""
