"""Optimizers against torch's own, built here independently."""

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.optim import Optimizer

from trainables.config.optimizers import OPTIMIZERS

LR = 0.05

TORCHS: dict[str, Callable[[list[nn.Parameter]], Optimizer]] = {
    "sgd": lambda p: torch.optim.SGD(p, lr=LR, momentum=0.8, weight_decay=0.1),
    "adam": lambda p: torch.optim.Adam(p, lr=LR, weight_decay=0.1),
    "adamw": lambda p: torch.optim.AdamW(p, lr=LR, weight_decay=0.1),
}


def parameter() -> nn.Parameter:
    weight = nn.Parameter(torch.linspace(-1, 1, 5))
    weight.grad = torch.tensor([0.3, -0.2, 0.0, 1.0, -2.0])
    return weight


@pytest.mark.parametrize("name", TORCHS)
def test_steps_as_torchs(name: str) -> None:
    ours, theirs = parameter(), parameter()
    optimizer = OPTIMIZERS[name](iter([ours]), lr=LR, l2=0.1, momentum=0.8)
    reference = TORCHS[name]([theirs])
    assert type(optimizer) is type(reference)
    for _ in range(5):
        optimizer.step()
        reference.step()
    torch.testing.assert_close(ours, theirs)
