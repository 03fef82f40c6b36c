"""Schedules against torch's own, built here independently."""

import io
from collections.abc import Callable
from typing import Any, get_args

import pytest
import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    LRScheduler,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)

from trainables.config import ScheduleName, TrialConfig
from trainables.config.optimizers import OPTIMIZERS
from trainables.training.schedules import Schedule, build_schedule

EPOCHS = 12
STEPS = 3  # an epoch
LR = 0.05
VAL_ACCURACY = [0.3, 0.5, 0.5, 0.5, 0.4, 0.6, 0.6, 0.6, 0.2, 0.1, 0.7, 0.7]

every_schedule = pytest.mark.parametrize("name", get_args(ScheduleName))
every_optimizer = pytest.mark.parametrize("optimizer_name", OPTIMIZERS)


def build(**given: Any) -> tuple[Optimizer, Schedule]:
    config = TrialConfig(**{"architecture": "net", "epochs": EPOCHS, "lr": LR, **given})
    optimizer = OPTIMIZERS[config.optimizer](
        [parameter()], lr=config.lr, l2=config.l2, momentum=config.momentum
    )
    return optimizer, build_schedule(config, optimizer, steps_per_epoch=STEPS)


def parameter() -> nn.Parameter:
    weight = nn.Parameter(torch.linspace(-1, 1, 5))
    weight.grad = torch.tensor([0.3, -0.2, 0.0, 1.0, -2.0])
    return weight


def rates(optimizer: Optimizer, schedule: Schedule, epochs: range) -> list[float]:
    """The rate of every step."""
    used = []
    for epoch in epochs:
        for _ in range(STEPS):
            used.append(float(optimizer.param_groups[0]["lr"]))
            optimizer.step()
            schedule.after_step()
        schedule.after_epoch(VAL_ACCURACY[epoch])
    return used


def torch_rates(
    build_scheduler: Callable[[Optimizer], LRScheduler], *, by_step: bool = False
) -> list[float]:
    optimizer = torch.optim.SGD([parameter()], lr=LR, momentum=0.9)
    scheduler = build_scheduler(optimizer)
    used = []
    for epoch in range(EPOCHS):
        for _ in range(STEPS):
            used.append(float(optimizer.param_groups[0]["lr"]))
            optimizer.step()
            if by_step:
                scheduler.step()
        if isinstance(scheduler, ReduceLROnPlateau):
            scheduler.step(VAL_ACCURACY[epoch])
        elif not by_step:
            scheduler.step()
    return used


def warmup_then_decay(optimizer: Optimizer, warmup: int, gamma: float) -> LRScheduler:
    rise = LinearLR(optimizer, start_factor=1 / (warmup + 1), total_iters=warmup)
    return SequentialLR(optimizer, [rise, ExponentialLR(optimizer, gamma)], milestones=[warmup])


@pytest.mark.parametrize(
    ("knobs", "build_scheduler"),
    [
        ({"schedule": "step"}, lambda o: StepLR(o, 4, gamma=0.1)),
        (
            {"schedule": "step", "step_epochs": 5, "step_gamma": 0.3},
            lambda o: StepLR(o, 5, gamma=0.3),
        ),
        ({"schedule": "exponential"}, lambda o: ExponentialLR(o, 0.01 ** (1 / EPOCHS))),
        ({"schedule": "exponential", "exponential_gamma": 0.7}, lambda o: ExponentialLR(o, 0.7)),
        ({"schedule": "cosine"}, lambda o: CosineAnnealingLR(o, EPOCHS)),
        (
            {"schedule": "plateau"},
            lambda o: ReduceLROnPlateau(o, mode="max", factor=0.1, patience=1),
        ),
        (
            {
                "schedule": "plateau",
                "plateau_factor": 0.5,
                "plateau_patience": 0,
                "plateau_min_lr": 0.02,
            },
            lambda o: ReduceLROnPlateau(o, mode="max", factor=0.5, patience=0, min_lr=0.02),
        ),
        (
            {"schedule": "warmup_exponential"},
            lambda o: warmup_then_decay(o, 1, 0.01 ** (1 / EPOCHS)),
        ),
        (
            {"schedule": "warmup_exponential", "warmup_epochs": 4, "exponential_gamma": 0.8},
            lambda o: warmup_then_decay(o, 4, 0.8),
        ),
    ],
    ids=str,
)
def test_epoch_schedules_are_torchs(
    knobs: dict[str, Any], build_scheduler: Callable[[Optimizer], LRScheduler]
) -> None:
    expected = torch_rates(build_scheduler)
    assert len(set(expected)) > 1
    assert rates(*build(**knobs), range(EPOCHS)) == pytest.approx(expected, rel=1e-12)


def test_one_cycle_is_torchs_by_the_step() -> None:
    total = EPOCHS * STEPS
    expected = torch_rates(lambda o: OneCycleLR(o, max_lr=LR, total_steps=total), by_step=True)
    assert max(expected) == pytest.approx(LR, rel=1e-3)
    assert rates(*build(schedule="one_cycle"), range(EPOCHS)) == pytest.approx(expected)


def test_constant_stays() -> None:
    assert set(rates(*build(schedule="constant"), range(EPOCHS))) == {LR}


def test_an_exponential_gamma_of_zero_is_not_the_default() -> None:
    used = rates(*build(schedule="exponential", exponential_gamma=0.0), range(2))
    assert used == [LR] * STEPS + [0.0] * STEPS


@pytest.mark.parametrize("epochs", range(3, 13))
def test_step_lowers_the_rate_once_or_twice_by_default(epochs: int) -> None:
    used = rates(*build(schedule="step", epochs=epochs), range(epochs))
    assert len(set(used)) in (2, 3)


@every_schedule
def test_a_single_epoch_works(name: str) -> None:
    used = rates(*build(schedule=name, epochs=1), range(1))
    assert len(used) == STEPS
    assert all(0 < rate <= LR for rate in used)


@every_schedule
def test_a_single_step_trains(name: str) -> None:
    config = TrialConfig(architecture="net", epochs=1, lr=LR, schedule=name)  # type: ignore[arg-type]
    optimizer = OPTIMIZERS["sgd"]([parameter()], lr=LR, l2=0.0, momentum=0.9)
    build_schedule(config, optimizer, steps_per_epoch=1)
    assert optimizer.param_groups[0]["lr"] > LR / 10


@every_schedule
@every_optimizer
@pytest.mark.parametrize("pause", [1, 4, 9])
def test_resumes_identically_from_a_file(name: str, optimizer_name: str, pause: int) -> None:
    knobs = {"schedule": name, "optimizer": optimizer_name}
    optimizer, schedule = build(**knobs)
    rates(optimizer, schedule, range(pause))
    file = io.BytesIO()
    torch.save({"optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()}, file)
    expected = rates(optimizer, schedule, range(pause, EPOCHS))

    file.seek(0)
    state = torch.load(file, weights_only=True)
    resumed_optimizer, resumed_schedule = build(**knobs)
    resumed_optimizer.load_state_dict(state["optimizer"])
    resumed_schedule.load_state_dict(state["schedule"])
    assert rates(resumed_optimizer, resumed_schedule, range(pause, EPOCHS)) == expected
    for key in ("lr", "momentum", "betas"):
        group, resumed_group = optimizer.param_groups[0], resumed_optimizer.param_groups[0]
        assert resumed_group.get(key) == group.get(key)


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
@every_schedule
def test_schedules_leave_the_momentum_that_was_asked_for(name: str, momentum: float) -> None:
    optimizer, schedule = build(schedule=name, optimizer="sgd", momentum=momentum)
    rates(optimizer, schedule, range(2))
    assert optimizer.param_groups[0]["momentum"] == momentum
