"""Choose the weights that a training leaves: averaged ones, and those of its best epoch."""

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from trainables.metrics import EpochMetrics, Metric


def average_weights(
    trained: nn.Module, *, epochs: float, steps_per_epoch: int
) -> "WeightAverage | None":
    """Build an exponential moving average of a network's weights and batch norm's statistics.

    Averaged weights predict as if the rate had been lowered, so that trainings whose schedules
    differ can be compared before their ends (Morales-Brotons et al. 2024, arXiv 2411.18704).

    Args:
        epochs: The average's time constant, one step at least; 0 averages nothing.
    """
    if not epochs:
        return None
    return WeightAverage(trained, steps=max(1.0, epochs * steps_per_epoch))


class WeightAverage(AveragedModel):
    """Averages weights exponentially, in two calls for all of them.

    torch's own `update_parameters` lists and sorts the tensors in each step, and takes batch norm's
    counts of batches one by one. Here the average has the trained network's counts.
    """

    def __init__(self, trained: nn.Module, *, steps: float) -> None:
        super().__init__(trained, use_buffers=True)
        decay = 1 - 1 / steps
        self._share = 1 - decay
        self._averages, self._weights = (
            [tensor for tensor in _tensors(network) if tensor.is_floating_point()]
            for network in (self.module, trained)
        )
        self._counts, self._trained_counts = (
            [tensor for tensor in _tensors(network) if not tensor.is_floating_point()]
            for network in (self.module, trained)
        )

    @torch.no_grad()
    def update(self) -> None:
        """Take the trained network's weights into the average; the first ones are the average."""
        if self.n_averaged:
            torch._foreach_lerp_(self._averages, self._weights, self._share)
        else:
            torch._foreach_copy_(self._averages, self._weights)
        if self._counts:
            torch._foreach_copy_(self._counts, self._trained_counts)
        self.n_averaged += 1


def _tensors(network: nn.Module) -> Iterator[Tensor]:
    return chain(network.parameters(), network.buffers())


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
        return replace(
            last,
            kept_epoch=best.epoch,
            val_loss=best.val_loss,
            val_accuracy=best.val_accuracy,
            val_balanced_accuracy=best.val_balanced_accuracy,
            val_macro_f1=best.val_macro_f1,
            val_auroc=best.val_auroc,
        )

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
