"""What the probe chooses, and training as it may choose."""

from collections.abc import Callable
from typing import Literal

import pytest
import torch

from trainables.config import ConfigError, Runtime
from trainables.datasets import ImageData
from trainables.device import memory_format, prepare_process, probe
from trainables.fit import build_training, fit

MakeData = Callable[..., ImageData]

without_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="chooses the GPU")


@without_gpu
def test_probe_chooses_a_runtime_and_tells_the_default_configuration(make_data: MakeData) -> None:
    runtime, default = probe("mlp", make_data(), pinned=None, epochs=7)
    assert runtime.device == "cpu"
    assert default["architecture"] == "mlp"
    assert default["epochs"] == 7
    (report,) = fit(build_training({**default, "epochs": 1}, make_data(), runtime, seed=0))
    assert report.is_finite


@without_gpu
@pytest.mark.parametrize("pinned", ["fp32", "bf16"])
def test_a_pinned_precision_is_kept(make_data: MakeData, pinned: Literal["fp32", "bf16"]) -> None:
    runtime, _ = probe("linear", make_data(), pinned=pinned, epochs=1)
    assert runtime.precision == pinned


def test_probe_of_an_unknown_architecture(make_data: MakeData) -> None:
    with pytest.raises(ConfigError, match="did you mean 'linear'"):
        probe("lineer", make_data(), pinned=None, epochs=1)


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
    finally:
        torch.set_num_threads(before)
