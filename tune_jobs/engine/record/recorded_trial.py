"""Read a trial of the record: Optuna's fields, and the attributes that this project adds, typed."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from optuna.trial import FrozenTrial, TrialState

from trainables.config import Configuration
from trainables.config.validation import from_json
from trainables.metrics import EpochMetrics
from tune_jobs.engine.job import Origin, Published
from tune_jobs.engine.record.listener import Past
from tune_jobs.engine.search.limits import TOO_SLOW

EPOCH = "epoch_"

MUST_REPEAT = ("train_loss", "val_loss", "val_accuracy")
"""The metrics that another attempt at an epoch must find again, on one machine."""


@dataclass(frozen=True)  # without slots: `cached_property` needs `__dict__`
class RecordedTrial:
    """Reads a trial of the record.

    Its user attributes are, in the search, `config` (complete), `origin`, `published` (what a
    report says of it), `source` (where the proposal came from), `epoch_<n>` (that epoch's
    metrics, with their `sequence` in the study) and, at its end, `end_reason`; `seed` if it is
    another one than the search's. `intermediate_values[n]` is the metric that the study optimises.

    A trial of the retraining also has `trial_number`, that of the search, and `seed`. One that is
    skipped says in `end_reason` why its candidate trains no further seeds. One that was interrupted
    has `resumed`: where each attempt went on, and checkpoints that were not intact.
    """

    frozen: FrozenTrial
    published_before: Sequence[Published] = ()
    """The reports of the first trials, for a run that began before trials carried `published`."""

    @property
    def number(self) -> int:
        return self.frozen.number

    @property
    def source(self) -> str:
        """Return where the proposal came from; empty: the sampler does not say, or it is a report's
        or a default."""
        return str(self.frozen.user_attrs.get("source", ""))

    @property
    def was_enqueued(self) -> bool:
        """Return whether all its parameters were given, and no sampler was asked for any."""
        fixed: dict[str, Any] | None = self.frozen.system_attrs.get("fixed_params")
        return fixed is not None and fixed.keys() >= self.frozen.params.keys()

    @property
    def state(self) -> TrialState:
        return self.frozen.state

    @property
    def value(self) -> float | None:
        """Return the metric at the full budget; `None` for a trial that did not reach it."""
        return self.frozen.value if self.state == TrialState.COMPLETE else None

    @property
    def params(self) -> dict[str, Any]:
        """Return what the space suggested; for an enqueued trial, what `ask` will give it."""
        fixed: dict[str, Any] | None = self.frozen.system_attrs.get("fixed_params")
        return self.frozen.params or fixed or {}

    @property
    def config(self) -> Configuration | None:
        """Return the complete configuration; `None`: the session died amid the proposal."""
        return self.frozen.user_attrs.get("config")

    @property
    def origin(self) -> Origin:
        return cast("Origin", self.frozen.user_attrs.get("origin", "search"))

    @property
    def published(self) -> Published | None:
        """Return what a report says of this configuration; `None`: it is not a report's."""
        stored = self.frozen.user_attrs.get("published")
        if stored:
            return from_json(Published, stored)
        is_earlier = self.origin == "published" and self.number < len(self.published_before)
        return self.published_before[self.number] if is_earlier else None

    @property
    def carries_its_report(self) -> bool:
        """Return whether a published trial carries its report; in early versions none did."""
        return self.origin != "published" or "published" in self.frozen.user_attrs

    @property
    def end_reason(self) -> str | None:
        return self.frozen.user_attrs.get("end_reason")

    @property
    def pair(self) -> tuple[int, int]:
        """Return a retraining's trial number in the search, and its seed."""
        attributes = self.frozen.user_attrs
        return attributes["trial_number"], attributes["seed"]

    @property
    def goes_on_with(self) -> tuple[int, int] | None:
        """Return the retraining that goes on from the end of this trial of the search, unless that
        is stopped or fails: its number, and the seed that it was given; `None`: none does."""
        seed = self.frozen.user_attrs.get("seed")
        failed = self.state in (TrialState.PRUNED, TrialState.FAIL)
        return None if seed is None or failed else (self.number, seed)

    @cached_property
    def epochs(self) -> dict[int, EpochMetrics]:
        """Return the metrics by epoch."""
        return {epoch: EpochMetrics.from_json(stored) for epoch, stored in self._stored().items()}

    @property
    def past(self) -> Past:
        return Past(self.source, list(self.epochs.values()))

    @property
    def last(self) -> EpochMetrics | None:
        """Return the metrics of the last epoch that was reported."""
        return self.epochs[max(self.epochs)] if self.epochs else None

    @property
    def num_epochs(self) -> int:
        """Return the number of epochs that it has been trained for."""
        return max(self._stored(), default=0)

    @property
    def is_skipped(self) -> bool:
        """Return whether it was never to be trained: see `Record.skip`."""
        return self.state == TrialState.PRUNED and not self._stored()

    @property
    def is_left_out(self) -> bool:
        """Return whether it was not begun, since its architecture was too slow for the budget."""
        return (self.end_reason or "").startswith(TOO_SLOW)

    @property
    def seconds(self) -> float:
        """Return the training time over all epochs."""
        return sum(metrics.seconds for metrics in self.epochs.values())

    @property
    def last_sequence(self) -> int:
        return max((s.get("sequence", 0) for s in self._stored().values()), default=0)

    def in_sequence(self) -> list[tuple[int, EpochMetrics]]:
        """Return (place in the study's order of reports, metrics) of each epoch."""
        return [(s["sequence"], self.epochs[epoch]) for epoch, s in self._stored().items()]

    def _stored(self) -> dict[int, dict[str, Any]]:
        return {
            int(name.removeprefix(EPOCH)): stored
            for name, stored in self.frozen.user_attrs.items()
            if name.startswith(EPOCH)
        }


def differ(recorded: EpochMetrics, repeated: EpochMetrics) -> bool:
    """Return whether another attempt at an epoch has not found `MUST_REPEAT` again."""
    was, now = recorded.to_json(), repeated.to_json()
    return any(was.get(name) != now.get(name) for name in MUST_REPEAT)
