"""Define what a worker reports: an epoch, what the probe has found, an error, or no storage."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trainables.config import Runtime
from trainables.config.validation import from_json, to_json
from trainables.metrics import EpochMetrics


@dataclass(frozen=True, kw_only=True, slots=True)
class Resumption:
    """Says where an attempt at a trial resumed.

    Attributes:
        epoch: The last epoch in the checkpoint that it loaded; 0: none was intact.
        corrupt: The names of newer checkpoints that were not intact.
    """

    epoch: int
    corrupt: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class EpochReport:
    """Reports an epoch's metrics, and where the attempt that made them resumed, if it did."""

    metrics: EpochMetrics
    resumption: Resumption | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingCost:
    """Says what an architecture's default costs.

    Attributes:
        multiply_adds: Of the forward pass of one image; `None`: it is no network on images.
        epoch_seconds: What an epoch takes at the least: its training steps alone.
        features_seconds: What computing the features takes that it names, if they are not there.
        runtime: The arithmetic in which it trains fastest; `None`, as in earlier versions: the
            run's.
    """

    multiply_adds: int | None
    epoch_seconds: float
    features_seconds: float = 0.0
    runtime: Runtime | None = None


def find_runtime(
    architecture: str, costs: Mapping[str, TrainingCost], of_the_run: Runtime
) -> Runtime:
    """Return the arithmetic in which an architecture trains: its own, or else the run's."""
    cost = costs.get(architecture)
    return cost.runtime if cost and cost.runtime else of_the_run


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeReport:
    """Reports the arithmetic in which all trials train, and what architectures cost, by name."""

    runtime: Runtime
    costs: Mapping[str, TrainingCost] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """Reports that the configuration cannot be trained, which another attempt would not mend."""

    message: str


@dataclass(frozen=True, slots=True)
class StorageFailure:
    """Reports that the run's storage is full or out of reach, which is no trial's fault.

    Attributes:
        is_other_disk: It is not the storage, but a folder that the message names.
    """

    message: str
    is_other_disk: bool = False


Report = EpochReport | ProbeReport | ErrorReport | StorageFailure

OTHERS: dict[str, type[ProbeReport] | type[ErrorReport] | type[StorageFailure]] = {
    cls.__name__: cls for cls in (ProbeReport, ErrorReport, StorageFailure)
}
"""All reports but `EpochReport`, whose metrics are stored flat, by their `kind`."""


def report_to_json(report: Report) -> dict[str, Any]:
    stored: dict[str, Any] = {"kind": type(report).__name__, **to_json(report)}
    if isinstance(report, EpochReport):
        stored["metrics"] = report.metrics.to_json()
    return stored


def report_from_json(stored: Mapping[str, Any]) -> Report:
    match stored["kind"]:
        case "EpochReport":
            resumption = stored["resumption"]
            return EpochReport(
                metrics=EpochMetrics.from_json(stored["metrics"]),
                resumption=resumption and from_json(Resumption, resumption),
            )
        case kind:
            return from_json(OTHERS[kind], stored)
