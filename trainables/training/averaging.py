"""Choose the weights that a training leaves: averaged ones, and those of its best epoch."""

import math
from dataclasses import fields, replace
from typing import Any

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from trainables.metrics import EpochMetrics, Metric


def average_weights(
    trained: nn.Module, *, epochs: float, steps_per_epoch: int
) -> AveragedModel | None:
    """Build an exponential moving average of a network's weights and batch norm's statistics.

    Averaged weights predict as if the rate had been lowered, so that trainings whose schedules
    differ can be compared before their ends (Morales-Brotons et al. 2024, arXiv 2411.18704).

    Args:
        epochs: The average's time constant, one step at least; 0 averages nothing.
    """
    if not epochs:
        return None
    steps = max(1.0, epochs * steps_per_epoch)
    update = get_ema_multi_avg_fn(1 - 1 / steps)  # type: ignore[no-untyped-call]
    return AveragedModel(trained, multi_avg_fn=update, use_buffers=True)


class BestEpoch:
    """Remembers the model of the epoch that is best on validation; of equal ones the first."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self._metrics: EpochMetrics | None = None
        self._weights: dict[str, Tensor] = {}

    def see(self, metrics: EpochMetrics, model: nn.Module) -> None:
        """Remember an epoch's model, if it is the best so far."""
        if self._score(metrics) > self._score(self._metrics):
            self._metrics = metrics
            state = model.state_dict()
            self._weights = {name: held.detach().cpu().clone() for name, held in state.items()}

    def restore(self, model: nn.Module, last: EpochMetrics) -> EpochMetrics:
        """Give a model its best weights; return the last epoch's metrics with the figures of these
        on validation."""
        best = self._metrics
        if best is None:  # no epoch has a score
            return last
        model.load_state_dict(self._weights)
        kept = {f.name: getattr(best, f.name) for f in fields(best) if f.name.startswith("val_")}
        return replace(last, kept_epoch=best.epoch, **kept)

    def state_dict(self) -> dict[str, Any]:
        """Return tensors and plain values only."""
        metrics = self._metrics.to_json() if self._metrics else None
        return {"metrics": metrics, "weights": self._weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        stored = state["metrics"]
        self._metrics = EpochMetrics.from_json(stored) if stored else None
        self._weights = state["weights"]

    def _score(self, metrics: EpochMetrics | None) -> float:
        """Return what is not better than any other for an epoch without a finite value."""
        value = math.nan if metrics is None else self._metric.on_validation(metrics)
        return self._metric.score(value) if math.isfinite(value) else -math.inf
