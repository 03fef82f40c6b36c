"""Learning-rate schedules are torch's own, chosen by name."""

import math
from typing import Literal, assert_never

from torch.optim import Optimizer
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

FINAL_SHARE = 0.01
"""An exponential decay whose factor is left open ends at this share of `lr`."""


class Schedule:
    """Steps a torch scheduler after each step, after each epoch, or after it with the metric."""

    def __init__(
        self, scheduler: LRScheduler, stepped_by: Literal["step", "epoch", "metric"]
    ) -> None:
        self._scheduler = scheduler
        self._stepped_by = stepped_by

    def after_step(self) -> None:
        if self._stepped_by == "step":
            self._scheduler.step()

    def after_epoch(self, val_accuracy: float) -> None:
        match self._stepped_by:
            case "epoch":
                self._scheduler.step()
            case "metric":
                assert isinstance(self._scheduler, ReduceLROnPlateau)
                self._scheduler.step(val_accuracy)
            case "step":
                pass
            case _:
                assert_never(self._stepped_by)

    def state_dict(self) -> dict[str, object]:
        """Return plain values; functions are left out, as the configuration builds them again."""
        state: dict[str, object] = self._scheduler.state_dict()
        return {key: value for key, value in state.items() if not callable(value)}

    def load_state_dict(self, state: dict[str, object]) -> None:
        self._scheduler.load_state_dict(state)


def build_schedule(config: TrialConfig, optimizer: Optimizer, *, steps_per_epoch: int) -> Schedule:
    """Build the schedule that `config.schedule` names.

    Constants that the configuration leaves open follow from `epochs`: `step` lowers the rate after
    each third, `exponential` ends at 1 % of `lr`, a warm-up takes a tenth of the epochs (at least
    one), `plateau` waits for a tenth.
    """
    epochs = config.epochs
    match config.schedule:
        case "constant":
            return Schedule(LambdaLR(optimizer, _one), "epoch")
        case "step":
            size = config.step_epochs or math.ceil(epochs / 3)
            return Schedule(StepLR(optimizer, size, gamma=config.step_gamma), "epoch")
        case "exponential":
            return Schedule(ExponentialLR(optimizer, _gamma(config)), "epoch")
        case "warmup_exponential":
            warmup = config.warmup_epochs or _a_tenth(epochs)
            rule = _WarmupExponential(warmup, _gamma(config))
            return Schedule(LambdaLR(optimizer, rule), "epoch")
        case "plateau":
            return Schedule(_plateau(config, optimizer), "metric")
        case "cosine":
            return Schedule(CosineAnnealingLR(optimizer, T_max=epochs), "epoch")
        case "one_cycle":
            cycle = OneCycleLR(
                optimizer,
                max_lr=[group["lr"] for group in optimizer.param_groups],
                total_steps=max(2, epochs * steps_per_epoch),  # one would be the end of a cycle
                cycle_momentum=False,  # `momentum` is what was asked for
            )
            return Schedule(cycle, "step")
        case _:
            assert_never(config.schedule)


def _plateau(config: TrialConfig, optimizer: Optimizer) -> ReduceLROnPlateau:
    patience = config.plateau_patience
    return ReduceLROnPlateau(
        optimizer,
        mode="max",
        factor=config.plateau_factor,
        patience=_a_tenth(config.epochs) if patience is None else patience,
        min_lr=config.plateau_min_lr,
    )


def _gamma(config: TrialConfig) -> float:
    """Return the factor of an epoch; 0 is a factor like any other, and `None` leaves it open."""
    gamma = config.exponential_gamma
    return float(FINAL_SHARE ** (1 / config.epochs)) if gamma is None else gamma


def _a_tenth(epochs: int) -> int:
    return max(1, epochs // 10)


def _one(_epoch: int) -> float:
    return 1.0


class _WarmupExponential:
    """Raises the rate linearly to `lr` over `warmup` epochs, then takes `gamma` of it an epoch."""

    def __init__(self, warmup: int, gamma: float) -> None:
        self._warmup = warmup
        self._gamma = gamma

    def __call__(self, epoch: int) -> float:
        if epoch < self._warmup:
            return (epoch + 1) / (self._warmup + 1)
        return float(self._gamma ** (epoch - self._warmup))
