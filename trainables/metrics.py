"""Define what a model is measured by: an epoch's metrics, and the one that a search optimises."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

from trainables.config.validation import from_json

LARGEST_LOSS = 1e6
"""A training whose mean cross-entropy is larger has diverged. The smallest probability that float32
can tell from 0 is e^-103, a loss of 103; this is ten thousand times as much. Batch norm keeps such
a loss finite, at 1e24 for instance. Sound trainings on unscaled features pass through 1e4."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """Holds what a trained model costs, measured where it was trained.

    Attributes:
        peak_host_bytes: The most memory of the worker process; this includes the shared data that
            the process has touched, and the trials that it ran before.
        throughput: Images predicted per second, in large batches.
        latency_seconds: The median time to predict one decoded image, the features that it is
            predicted from included. An earlier version did not count these.
        peak_device_bytes: The most GPU memory allocated; `None` on a CPU.
        multiply_adds: Multiply-adds to predict one image; `None` for an estimator.
        features_seconds: What the features took that it was trained on, of all images, summed over
            processes; `None`: it was trained on images, or that is not known.
    """

    peak_host_bytes: int
    throughput: float
    latency_seconds: float
    peak_device_bytes: int | None = None
    multiply_adds: int | None = None
    features_seconds: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldOutMetrics:
    """Holds what a retrained model reaches on the test split.

    The figures are those of `trainables.training.scores.Evaluation`; an early version had neither
    balanced accuracy nor AUROC.

    Attributes:
        loss: The mean cross-entropy in nats.
        accuracy, macro_f1, balanced_accuracy, auroc: Fractions in [0, 1].
        cost: `None` where it was not measured.
    """

    loss: float
    accuracy: float
    macro_f1: float
    balanced_accuracy: float | None = None
    auroc: float | None = None
    cost: Cost | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class EpochMetrics:
    """Holds what is known of a trial after an epoch.

    Accuracies, F1 and AUROC are fractions in [0, 1], losses mean cross-entropies in nats. A metric
    that does not apply is `None`, as the training accuracy is where labels are mixed.

    Attributes:
        val_balanced_accuracy, val_macro_f1, val_auroc: As `trainables.training.scores.Evaluation`
            says; an early version had none.
        epoch: The epoch's number, from 1.
        seconds: The duration of the epoch, its evaluation included.
        lr: The learning rate that the epoch began with.
        num_micro_batches: The number of parts that a batch was split into, to fit in memory.
        num_parameters: The number of trainable parameters.
        train_fraction: The share of the train images, or of the boosting rounds, that an
            estimator was fitted on.
        kept_epoch: The epoch whose model the training leaves, where that is the best one; the
            validation figures of the last epoch's report are then those of that model.
        val_standard_errors: Over folds, by the figures that are `val_` above; `None` without folds.
            The figures themselves are means over folds then, and `seconds` a sum.
        diverged: Whether a number was not finite, or a loss above `LARGEST_LOSS`.
        test: The metrics on the test split; only a retraining's last epoch has them.
    """

    epoch: int
    seconds: float
    val_loss: float
    val_accuracy: float
    val_balanced_accuracy: float | None = None
    val_macro_f1: float | None = None
    val_auroc: float | None = None
    train_loss: float | None = None
    train_accuracy: float | None = None
    lr: float | None = None
    num_micro_batches: int | None = None
    num_parameters: int | None = None
    train_fraction: float | None = None
    kept_epoch: int | None = None
    val_standard_errors: Mapping[str, float] | None = None
    diverged: bool = False
    test: HeldOutMetrics | None = None

    def __post_init__(self) -> None:
        losses = (self.train_loss, self.val_loss)
        too_large = any(loss is not None and not loss <= LARGEST_LOSS for loss in losses)
        if too_large or any(map(_is_nonfinite, self._values())):
            object.__setattr__(self, "diverged", True)

    def to_json(self) -> dict[str, Any]:
        """Return a flat dict, by the names that the record and the leaderboard use.

        Metrics that do not apply or are not finite are left out.
        """
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
        """Read what `to_json` returned; names that another version wrote are ignored."""
        test = None
        if "test_accuracy" in flat:
            names = (column.name for column in fields(HeldOutMetrics))
            tested = {name: flat.get(f"test_{name}") for name in names}
            cost = flat if "throughput" in flat else None
            test = from_json(HeldOutMetrics, {**tested, "cost": cost})
        # `to_json` leaves out what is not finite, so a metric that is required but missing was not.
        values = {"val_loss": math.nan, "val_accuracy": math.nan, **flat, "test": None}
        return replace(from_json(cls, values), test=test)

    def _values(self) -> list[object]:
        return [getattr(self, column.name) for column in fields(self)]


def _is_nonfinite(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


Direction = Literal["maximize", "minimize"]


@dataclass(frozen=True, slots=True)
class Metric:
    """Describes a metric that a search can optimise.

    Attributes:
        name: The name that `--metric` takes.
        label: A word or two, for terminals and pages.
        direction: Optuna's word for whether high or low values are better.
        on_validation: Returns the metric's value on validation after an epoch.
        figure: The name of what it is on any split, in `HeldOutMetrics` and behind `val_` or
            `test_` in columns; `None`: it is not known of the test split.
    """

    name: str
    label: str
    direction: Direction
    on_validation: Callable[[EpochMetrics], float]
    figure: str | None = None

    @property
    def words(self) -> str:
        """Return its name in a sentence."""
        return self.name.replace("_", " ")

    def score(self, value: float) -> float:
        """Return the value, or its negative where lower is better: a higher score always wins."""
        return value if self.direction == "maximize" else -value

    def standard_error(self, epoch: EpochMetrics) -> float | None:
        """Return the standard error over folds of its value on validation, where it is known."""
        return (epoch.val_standard_errors or {}).get(self.figure or "")

    def on_test(self, test: HeldOutMetrics) -> float | None:
        """Return the metric's value on the test split, where it is known."""
        return getattr(test, self.figure) if self.figure else None


METRICS: dict[str, Metric] = {}
"""The known metrics by name; `add_metric` adds one."""


def add_metric(metric: Metric) -> None:
    """Make a metric known to `--metric`.

    Raises:
        ValueError: There is a metric of this name, or its direction is unknown.
    """
    if metric.direction not in get_args(Direction):
        raise ValueError(
            f"metric = {metric.name!r}: its direction is {metric.direction!r}, but must be one of "
            f"{', '.join(get_args(Direction))}"
        )
    if metric.name in METRICS:
        raise ValueError(f"metric = {metric.name!r}: there is one of this name; take another")
    METRICS[metric.name] = metric


def compared_by(name: str | None) -> Metric:
    """Return the metric by which models are compared on the test split: the one that their search
    optimised where the test split has it, else accuracy.

    Args:
        name: What the search optimised; `None`: an early version knew accuracy alone.
    """
    metric = METRICS.get(name or "accuracy")
    return metric if metric and metric.figure else METRICS["accuracy"]


def _add(name: str, label: str, direction: Direction, figure: str) -> None:
    def on_validation(epoch: EpochMetrics) -> float:
        value: float | None = getattr(epoch, f"val_{figure}")
        return math.nan if value is None else value

    add_metric(Metric(name, label, direction, on_validation, figure))


_add("accuracy", "val", "maximize", "accuracy")
_add("balanced_accuracy", "val balanced", "maximize", "balanced_accuracy")
_add("macro_f1", "val F1", "maximize", "macro_f1")
_add("log_loss", "val loss", "minimize", "loss")
_add("auroc", "val AUROC", "maximize", "auroc")
