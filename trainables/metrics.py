"""What a model is measured by: one epoch's metrics, and the one of them that is optimised."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

from trainables.config.validation import from_json

LARGEST_LOSS = 1e6
"""A mean cross-entropy beyond it is no training any more: no right class has a probability that
float32 can tell from 0 (e^-104), ten thousand times over. Batch norm keeps such a loss finite, at
1e24 say. Sound trainings on unscaled features were seen to pass through 1e4."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What a trained model costs, where it trained.

    Attributes:
        peak_host_bytes: The most memory of the worker process, shared data that it has touched and
            trials before this one included.
        throughput: Images a second, predicted in large batches.
        latency_seconds: The prediction of one image, median.
        peak_device_bytes: The most GPU memory allocated; `None` on a CPU.
        multiply_adds: Those of the prediction of one image; `None` for an estimator.
    """

    peak_host_bytes: int
    throughput: float
    latency_seconds: float
    peak_device_bytes: int | None = None
    multiply_adds: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldOutMetrics:
    """What a retrained model reaches on the test split: its mean cross-entropy in nats, accuracy
    and macro-averaged F1 (fractions in [0, 1]), and its cost where it was measured."""

    loss: float
    accuracy: float
    macro_f1: float
    cost: Cost | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class EpochMetrics:
    """What is known of a trial after an epoch. Accuracies are fractions in [0, 1], losses mean
    cross-entropies in nats; `None` is what does not apply to what is trained.

    Attributes:
        epoch: From 1.
        seconds: What the epoch took, its evaluation included.
        lr: The rate that the epoch began with.
        num_micro_batches: Parts that a batch was split into, to fit in memory.
        num_parameters: Trainable ones.
        train_fraction: The share of the train images, or of the boosting rounds, that an
            estimator was fitted on.
        diverged: A number was not finite, or a loss beyond `LARGEST_LOSS`.
        test: Of a retraining's last epoch.
    """

    epoch: int
    seconds: float
    val_loss: float
    val_accuracy: float
    train_loss: float | None = None
    train_accuracy: float | None = None
    lr: float | None = None
    num_micro_batches: int | None = None
    num_parameters: int | None = None
    train_fraction: float | None = None
    diverged: bool = False
    test: HeldOutMetrics | None = None

    def __post_init__(self) -> None:
        losses = (self.train_loss, self.val_loss)
        too_large = any(loss is not None and not loss <= LARGEST_LOSS for loss in losses)
        if too_large or any(map(_is_nonfinite, self._values())):
            object.__setattr__(self, "diverged", True)

    def to_json(self) -> dict[str, Any]:
        """Flat, as the record and the leaderboard name them, without what does not apply or is not
        finite."""
        flat = asdict(self)
        del flat["test"]
        if not self.diverged:
            del flat["diverged"]
        if self.test:
            tested = asdict(self.test)
            flat |= tested.pop("cost") or {}
            flat |= {f"test_{name}": value for name, value in tested.items()}
        return {n: v for n, v in flat.items() if v is not None and not _is_nonfinite(v)}

    @classmethod
    def from_json(cls, flat: Mapping[str, Any]) -> "EpochMetrics":
        """The inverse of `to_json`; names that another version wrote are left out."""
        test = None
        if "test_accuracy" in flat:
            tested = {name: flat.get(f"test_{name}") for name in ("loss", "accuracy", "macro_f1")}
            cost = flat if "throughput" in flat else None
            test = from_json(HeldOutMetrics, {**tested, "cost": cost})
        values = {"val_loss": math.nan, "val_accuracy": math.nan, **flat, "test": None}
        return replace(from_json(cls, values), test=test)

    def _values(self) -> list[object]:
        return [getattr(self, column.name) for column in fields(self)]

    def tested(self, test: HeldOutMetrics) -> "EpochMetrics":
        """The same, with what the test split says."""
        return replace(self, test=test)


def _is_nonfinite(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


Direction = Literal["maximize", "minimize"]


@dataclass(frozen=True, slots=True)
class Metric:
    """What a search optimises.

    Attributes:
        name: As `--metric` takes it.
        label: A word or two, for terminals and pages.
        direction: Optuna's word.
        on_validation: Its value after an epoch.
    """

    name: str
    label: str
    direction: Direction
    on_validation: Callable[[EpochMetrics], float]

    def score(self, value: float) -> float:
        """The value, or its negative: the higher, the better."""
        return value if self.direction == "maximize" else -value


METRICS: dict[str, Metric] = {}
"""By name; `add_metric` adds one."""


def add_metric(metric: Metric) -> None:
    """Make a metric known to `--metric`.

    Raises:
        ValueError: There is one of this name, or its direction is unknown.
    """
    if metric.direction not in get_args(Direction):
        raise ValueError(
            f"metric = {metric.name!r}: its direction is {metric.direction!r}, but must be one of "
            f"{', '.join(get_args(Direction))}"
        )
    if metric.name in METRICS:
        raise ValueError(f"metric = {metric.name!r}: there is one of this name; take another")
    METRICS[metric.name] = metric


add_metric(Metric("accuracy", "val", "maximize", lambda epoch: epoch.val_accuracy))
add_metric(Metric("loss", "val loss", "minimize", lambda epoch: epoch.val_loss))
