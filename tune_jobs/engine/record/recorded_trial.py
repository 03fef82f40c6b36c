"""A trial as the record has it: what Optuna knows, and our own attributes of it, typed."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from optuna.trial import FrozenTrial, TrialState

from trainables.config import Configuration
from trainables.config.validation import from_json
from trainables.metrics import EpochMetrics
from tune_jobs.engine.job import Origin, Published

EPOCH = "epoch_"


@dataclass(frozen=True)
class RecordedTrial:
    """User attributes of a trial of the search: `config` (complete), `origin`, `published` (what a
    report says of it), `epoch_<n>` (that epoch's metrics, with their `sequence` in the study) and,
    at its end, `end_reason`. `intermediate_values[n]` is the metric that the study optimises.

    A trial of the retraining has `trial_number`, of the search, and `seed` besides. One that was
    interrupted has `resumed`: where each attempt went on, and checkpoints that were not intact.
    """

    frozen: FrozenTrial
    published_before: Sequence[Published] = ()
    """The reports of the first trials, of a run that began before trials carried `published`."""

    @property
    def number(self) -> int:
        return self.frozen.number

    @property
    def state(self) -> TrialState:
        return self.frozen.state

    @property
    def value(self) -> float | None:
        """The metric at the full budget; `None` for a trial that did not come to it."""
        return self.frozen.value if self.state == TrialState.COMPLETE else None

    @property
    def params(self) -> dict[str, Any]:
        """What the space suggested; of a trial that is enqueued, what it will be given."""
        fixed: dict[str, Any] | None = self.frozen.system_attrs.get("fixed_params")
        return self.frozen.params or fixed or {}

    @property
    def config(self) -> Configuration | None:
        """`None`: the session died before the proposal was whole."""
        return self.frozen.user_attrs.get("config")

    @property
    def origin(self) -> Origin:
        return cast("Origin", self.frozen.user_attrs.get("origin", "search"))

    @property
    def published(self) -> Published | None:
        """What a report says of this configuration; `None`: it is not a report's."""
        stored = self.frozen.user_attrs.get("published")
        if stored:
            return from_json(Published, stored)
        is_earlier = self.origin == "published" and self.number < len(self.published_before)
        return self.published_before[self.number] if is_earlier else None

    @property
    def end_reason(self) -> str | None:
        return self.frozen.user_attrs.get("end_reason")

    @property
    def pair(self) -> tuple[int, int]:
        """Of a retraining: the number of the trial in the search, and the seed."""
        attributes = self.frozen.user_attrs
        return attributes["trial_number"], attributes["seed"]

    @cached_property
    def epochs(self) -> dict[int, EpochMetrics]:
        """Epoch -> its metrics."""
        return {epoch: EpochMetrics.from_json(stored) for epoch, stored in self._stored().items()}

    @property
    def last(self) -> EpochMetrics | None:
        """The metrics of the last epoch that was reported."""
        return self.epochs[max(self.epochs)] if self.epochs else None

    @property
    def seconds(self) -> float:
        """Training time over all epochs."""
        return sum(metrics.seconds for metrics in self.epochs.values())

    @property
    def last_sequence(self) -> int:
        return max((s.get("sequence", 0) for s in self._stored().values()), default=0)

    def in_sequence(self) -> list[tuple[int, EpochMetrics]]:
        """(place in the study's order of reports, metrics) of each epoch."""
        return [(s["sequence"], self.epochs[epoch]) for epoch, s in self._stored().items()]

    def _stored(self) -> dict[int, dict[str, Any]]:
        return {
            int(name.removeprefix(EPOCH)): stored
            for name, stored in self.frozen.user_attrs.items()
            if name.startswith(EPOCH)
        }
