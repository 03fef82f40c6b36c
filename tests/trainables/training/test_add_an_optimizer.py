"""An optimizer that is added from outside the package trains like one of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import torch
from torch import nn

from trainables.config import ConfigError, Runtime
from trainables.config.optimizers import OPTIMIZERS
from trainables.datasets import ImageData
from trainables.training.fit import Training, build_training, fit

MakeData = Callable[..., ImageData]

FLAT = {"architecture": "mlp", "epochs": 4, "batch_size": 16, "lr": 3e-4, "l2": 1e-3}


def build_rmsprop(
    parameters: Iterable[nn.Parameter], *, lr: float, l2: float, momentum: float
) -> torch.optim.Optimizer:
    return torch.optim.RMSprop(parameters, lr=lr, weight_decay=l2, momentum=momentum)


@pytest.fixture
def rmsprop(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(OPTIMIZERS, "rmsprop", build_rmsprop)
    return "rmsprop"


def build(data: ImageData, optimizer: str) -> Training:
    return build_training(
        {**FLAT, "optimizer": optimizer, "momentum": 0.5}, data, Runtime(device="cpu"), seed=0
    )


def test_it_trains_with_the_knobs_of_the_configuration(make_data: MakeData, rmsprop: str) -> None:
    training = build(make_data(), rmsprop)
    reports = list(fit(training))
    assert reports[-1].val_accuracy > 0.9
    first, *_, last = [report.train_loss or 0.0 for report in reports]
    assert 0 < last < first
    [group] = training.state_dict()["optimizer"]["param_groups"]
    assert (group["lr"], group["weight_decay"], group["momentum"]) == (3e-4, 1e-3, 0.5)
    assert "alpha" in group, "of RMSprop alone"


def test_it_resumes_to_the_bit(make_data: MakeData, rmsprop: str) -> None:
    whole, paused, resumed = (build(make_data(), rmsprop) for _ in range(3))
    expected = [report.val_loss for report in fit(whole)]
    for _ in range(2):
        paused.run_epoch()
    resumed.load_state_dict(paused.state_dict())
    assert [report.val_loss for report in fit(resumed)] == expected[2:]


@pytest.mark.usefixtures("rmsprop")
def test_a_misspelt_name_is_told_of_it(make_data: MakeData) -> None:
    message = "optimizer = 'rmsprob': must be one of sgd, adam, adamw, rmsprop (did you mean 'rmsp"
    with pytest.raises(ConfigError, match=re.escape(message)):
        build(make_data(), "rmsprob")


def test_it_is_unknown_where_nobody_added_it(make_data: MakeData) -> None:
    with pytest.raises(ConfigError, match="optimizer = 'rmsprop': must be one of sgd, adam, adamw"):
        build(make_data(), "rmsprop")


NET = """
import torch

from trainables.architectures.mlp import Config, Model
from trainables.config.optimizers import OPTIMIZERS


def build_rmsprop(parameters, *, lr, l2, momentum):
    return torch.optim.RMSprop(parameters, lr=lr, weight_decay=l2, momentum=momentum)


OPTIMIZERS["rmsprop"] = build_rmsprop
"""

WORKER = """
from trainables.architectures import find_architecture
from trainables.config import parse_trial
from trainables.registry import default_of

flat = {**default_of("mine.net", 1), "optimizer": "rmsprop"}
print(parse_trial(flat, find_architecture("mine.net").Config)[0].optimizer)
"""


def test_a_worker_learns_of_it_from_the_architectures_module(tmp_path: Path) -> None:
    """A worker is given a configuration alone, and imports what it names."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "net.py").write_text(NET)
    found = subprocess.run(
        [sys.executable, "-c", WORKER],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.split() == ["rmsprop"]
