"""What a worker reports: an epoch's metrics, what the probe has found, or a wrong configuration."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainables.config import Configuration, Runtime
from trainables.config.validation import from_json, to_json
from trainables.metrics import EpochMetrics


@dataclass(frozen=True, kw_only=True, slots=True)
class Resumption:
    """Where an attempt at a trial went on.

    Attributes:
        epoch: The last one that its checkpoint holds; 0: there was none that is intact.
        corrupt: The names of newer checkpoints that are not intact.
    """

    epoch: int
    corrupt: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class EpochReport:
    """An epoch's metrics, and what is to be said of the attempt that made them."""

    metrics: EpochMetrics
    resumption: Resumption | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeReport:
    """The arithmetic in which all trials train, and the default configurations by architecture."""

    runtime: Runtime
    defaults: Mapping[str, Configuration]


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """The configuration cannot be trained; another attempt would not mend it."""

    message: str


@dataclass(frozen=True, slots=True)
class StorageFailure:
    """The run's storage is full or out of reach, which is no trial's fault."""

    message: str


Report = EpochReport | ProbeReport | ErrorReport | StorageFailure


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


OTHERS: dict[str, type[ProbeReport] | type[ErrorReport] | type[StorageFailure]] = {
    cls.__name__: cls for cls in (ProbeReport, ErrorReport, StorageFailure)
}
