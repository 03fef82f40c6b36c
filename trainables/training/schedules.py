"""Optimizers and learning-rate schedules: torch's own, chosen by name."""

import math
from collections.abc import Iterator

import torch
from torch import nn
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LRScheduler,
    OneCycleLR,
    ReduceLROnPlateau,
    StepLR,
)

from trainables.config import TrialConfig


class Schedule:
    """A torch scheduler stepped by `step`, by `epoch`, or by epoch with the `metric`."""

    def __init__(self, scheduler: LRScheduler, stepped_by: str) -> None:
        self._scheduler = scheduler
        self._stepped_by = stepped_by

    def after_step(self) -> None:
        if self._stepped_by == "step":
            self._scheduler.step()

    def after_epoch(self, val_accuracy: float) -> None:
        if self._stepped_by == "metric":
            assert isinstance(self._scheduler, ReduceLROnPlateau)
            self._scheduler.step(val_accuracy)
        elif self._stepped_by == "epoch":
            self._scheduler.step()

    def state_dict(self) -> dict[str, object]:
        state: dict[str, object] = self._scheduler.state_dict()
        return {key: value for key, value in state.items() if not callable(value)}

    def load_state_dict(self, state: dict[str, object]) -> None:
        self._scheduler.load_state_dict(state)


def build_optimizer(
    config: TrialConfig, parameters: Iterator[nn.Parameter]
) -> torch.optim.Optimizer:
    """SGD with momentum, Adam (l2 in the gradient), or AdamW (decoupled decay)."""
    if config.optimizer == "sgd":
        return torch.optim.SGD(
            parameters,
            lr=config.lr,
            momentum=config.momentum,
            weight_decay=config.l2,
            fused=True,
        )
    adam = torch.optim.Adam if config.optimizer == "adam" else torch.optim.AdamW
    return adam(parameters, lr=config.lr, weight_decay=config.l2, fused=True)


def build_schedule(
    config: TrialConfig, optimizer: torch.optim.Optimizer, *, steps_per_epoch: int
) -> Schedule:
    """The schedule that `config.schedule` names.

    Where the configuration leaves a schedule's constants open they follow from `epochs`:
    `step` lowers the rate after each third, `exponential` ends at 1 % of `lr`, a warm-up takes a
    tenth of the epochs (at least one), `plateau` waits for a tenth.
    """
    epochs = config.epochs
    warmup = config.warmup_epochs or max(1, epochs // 10)
    gamma = config.exponential_gamma
    if gamma is None:
        gamma = 0.01 ** (1 / epochs)
    match config.schedule:
        case "constant":
            return Schedule(LambdaLR(optimizer, _one), "epoch")
        case "step":
            size = config.step_epochs or math.ceil(epochs / 3)
            return Schedule(StepLR(optimizer, size, gamma=config.step_gamma), "epoch")
        case "exponential":
            return Schedule(ExponentialLR(optimizer, gamma), "epoch")
        case "warmup_exponential":
            rule = _WarmupExponential(warmup, gamma)
            return Schedule(LambdaLR(optimizer, rule), "epoch")
        case "plateau":
            patience = config.plateau_patience
            scheduler = ReduceLROnPlateau(
                optimizer,
                mode="max",
                factor=config.plateau_factor,
                patience=max(1, epochs // 10) if patience is None else patience,
                min_lr=config.plateau_min_lr,
            )
            return Schedule(scheduler, "metric")
        case "cosine":
            return Schedule(CosineAnnealingLR(optimizer, T_max=epochs), "epoch")
        case "one_cycle":
            cycle = OneCycleLR(
                optimizer,
                max_lr=config.lr,
                total_steps=epochs * steps_per_epoch,
                cycle_momentum=False,  # `momentum` is what was asked for
            )
            return Schedule(cycle, "step")


def _one(_epoch: int) -> float:
    return 1.0


class _WarmupExponential:
    """A linear rise to `lr` over `warmup` epochs, then a factor of `gamma` an epoch."""

    def __init__(self, warmup: int, gamma: float) -> None:
        self._warmup = warmup
        self._gamma = gamma

    def __call__(self, epoch: int) -> float:
        if epoch < self._warmup:
            return (epoch + 1) / (self._warmup + 1)
        return float(self._gamma ** (epoch - self._warmup))
