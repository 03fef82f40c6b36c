"""Training in every arithmetic, and the process it is done in."""

import inspect
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, Literal

import pytest
import torch

from trainables.config import Runtime
from trainables.config.optimizers import OPTIMIZERS
from trainables.datasets import ImageData
from trainables.training.device import memory_format, prepare_process
from trainables.training.fit import build_training, fit

MakeData = Callable[..., ImageData]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("channels_last", [False, True])
def test_every_combination_learns(
    make_data: MakeData, precision: Literal["fp32", "bf16"], channels_last: bool
) -> None:
    runtime = Runtime(device="cpu", precision=precision, channels_last=channels_last)
    flat = {"architecture": "cnn", "filters_1": 8, "epochs": 5, "batch_size": 16, "lr": 3e-3}
    training = build_training(flat, make_data(channels=3), runtime, seed=0)
    reports = list(fit(training))
    assert reports[-1].val_accuracy > 0.9
    weights = training.model.get_parameter("blocks.0.weight")
    assert weights.dtype == torch.float32
    assert weights.is_contiguous(memory_format=memory_format(runtime))


def test_threads_are_as_many_as_the_trial_has_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    try:
        monkeypatch.setenv("OMP_NUM_THREADS", "2")
        prepare_process()
        assert torch.get_num_threads() == 2
        monkeypatch.delenv("OMP_NUM_THREADS")
        prepare_process()
        assert torch.get_num_threads() == 1
        assert not torch.backends.cudnn.allow_tf32, "fp32 is what the record says"
    finally:
        torch.set_num_threads(before)


WITHOUT_DYNAMO = """
import sys
import torch
from torch.utils.flop_counter import FlopCounterMode
from trainables.config.optimizers import OPTIMIZERS
from trainables.training.device import prepare_process

prepare_process()
for build in OPTIMIZERS.values():
    model = torch.nn.Linear(3, 2)
    optimizer = build(model.parameters(), lr=0.1, l2=0.1, momentum=0.9)
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    optimizer.zero_grad()
    optimizer.load_state_dict(optimizer.state_dict())
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.ones(1, 3))
    assert counter.get_total_flops() == 2 * 3 * 2
assert "torch._dynamo" not in sys.modules
"""


def test_no_optimizer_and_no_counter_waits_for_dynamo() -> None:
    subprocess.run([sys.executable, "-c", WITHOUT_DYNAMO], check=True)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_is_that_of_torch_to_the_bit(name: str) -> None:
    def step_twice(step: Callable[[Any], None]) -> torch.Tensor:
        weights = torch.nn.Parameter(torch.linspace(-1, 1, 7))
        optimizer = OPTIMIZERS[name]([weights], lr=0.1, l2=0.1, momentum=0.9)
        for _ in range(2):
            (weights**2).sum().backward()  # type: ignore[no-untyped-call]
            step(optimizer)
        return weights.detach()

    prepare_process()
    found = step_twice(lambda optimizer: optimizer.step())
    wrap = import_module("torch.optim.optimizer")._use_grad_for_differentiable
    expected = step_twice(lambda o: wrap(inspect.unwrap(type(o).step))(o))
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
