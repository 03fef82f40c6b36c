"""Pass on what the record has just been told: to the live view, to TensorBoard's logs."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from optuna.trial import TrialState

from trainables.metrics import EpochMetrics
from tune_jobs.engine.search.early_stopping import StoppingRule


class Past(NamedTuple):
    """Says where a trial came from, and what it has reported so far.

    Attributes:
        source: Where the proposal came from; empty: the sampler does not say, or it is a report's
            or a default.
        epochs: The metrics that were reported.
    """

    source: str = ""
    epochs: Sequence[EpochMetrics] = ()


class Ended(NamedTuple):
    """Describes a trial that an earlier session has ended."""

    name: str
    state: TrialState
    value: float | None
    past: Past = Past()


class Listener:
    """Hears what the record was told; override what matters, since nothing happens otherwise."""

    def begin(self, num_trials: int | None, rule: StoppingRule, earlier: Sequence[Ended]) -> None:
        """Hear that a session begins, before its first trial; `earlier` ended in other sessions.

        Args:
            num_trials: The number of proposals, where it is not time that ends the search.
        """

    def started(self, name: str, config: Mapping[str, Any], past: Past) -> None:
        """Hear of a proposal: its configuration, and its parameters as the space names them.

        Args:
            past: Of a trial that an earlier session began, with its reports.
        """

    def training(self, name: str, epochs_done: int) -> None:
        """Hear that a process begins on the trial, once the cluster has room."""

    def reported(self, name: str, metrics: EpochMetrics) -> None:
        """Hear of an epoch that the record did not have."""

    def ended(self, name: str, state: TrialState, reason: str) -> None:
        """Hear that a trial has ended, and for what reason."""

    def skipped(self, name: str, reason: str) -> None:
        """Hear that a trial will not be trained, and for what reason."""
