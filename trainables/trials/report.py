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


Report = EpochReport | ProbeReport | ErrorReport


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
        case "ProbeReport":
            return from_json(ProbeReport, stored)
        case "ErrorReport":
            return from_json(ErrorReport, stored)
        case unknown:
            raise ValueError(f"a report of the kind {unknown!r} is not known")
