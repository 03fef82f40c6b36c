"""Networks train on a GPU as they do on the CPU."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import torch

from trainables.config import Runtime
from trainables.datasets import ImageData
from trainables.training.fit import Training, build_training, fit

CUDA = Runtime(device="cuda")
CPU = Runtime(device="cpu")
AUGMENTED = {
    "architecture": "cnn",
    "epochs": 4,
    "batch_size": 64,
    "lr": 3e-3,
    "horizontal_flip": 0.1,
    "crop_padding": 0.1,
    "rotation_degrees": 10.0,
    "zoom": 0.1,
    "translation": 0.1,
}
PLAIN = {"architecture": "cnn", "epochs": 4, "batch_size": 64, "lr": 3e-3}
STRONG = {
    **PLAIN,
    "trivial_augment": 0.5,
    "brightness": 0.2,
    "contrast": 0.2,
    "saturation": 0.2,
    "hue": 0.1,
    "random_erasing": 0.2,
    "mixup_alpha": 0.2,
    "cutmix_alpha": 1.0,
}


def test_images_labels_and_indices_lie_on_the_gpu(digits: ImageData) -> None:
    placed = build_training(PLAIN, digits, CUDA, seed=0).inputs.placed
    lying = [*placed.arrays, placed.labels_N, placed.train, placed.validation, placed.test]
    assert {tensor.device.type for tensor in lying} == {"cuda"}


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("flat", [PLAIN, AUGMENTED, STRONG], ids=["plain", "augmented", "strong"])
def test_learns(
    digits: ImageData,
    precision: Literal["fp32", "bf16"],
    channels_last: bool,
    flat: dict[str, object],
) -> None:
    runtime = replace(CUDA, precision=precision, channels_last=channels_last)
    epochs = list(fit(build_training(flat, digits, runtime, seed=0)))
    assert [metrics.epoch for metrics in epochs] == [1, 2, 3, 4]
    assert epochs[-1].val_accuracy > 0.8
    first, last = epochs[0].train_loss, epochs[-1].train_loss
    assert first is not None
    assert last is not None
    assert last < first


@pytest.mark.parametrize("architecture", ["mlp", "cnn", "resnet18"])
def test_a_network_predicts_what_it_does_on_the_cpu(digits: ImageData, architecture: str) -> None:
    flat = {**PLAIN, "architecture": architecture}
    first, second = (build_training(flat, digits, runtime, seed=0) for runtime in (CPU, CUDA))
    second.load_state_dict(first.state_dict())
    expected_NK, found_NK = (
        training.predict_logits(training.inputs.placed.test).cpu() for training in (first, second)
    )
    # Convolutions may round their factors to TF32, which has 10 bits.
    torch.testing.assert_close(found_NK, expected_NK, rtol=1e-2, atol=1e-2)


def test_a_training_goes_on_from_a_checkpoint(digits: ImageData, tmp_path: Path) -> None:
    """As good as to the bit: a GPU adds in any order."""
    whole = build_training(AUGMENTED, digits, CUDA, seed=0)
    epochs = fit(whole)
    next(epochs)
    torch.save(whole.state_dict(), tmp_path / "checkpoint")
    rest = build_training(AUGMENTED, digits, CUDA, seed=0)
    rest.load_state_dict(torch.load(tmp_path / "checkpoint", weights_only=True))
    expected, found = next(epochs), next(fit(rest))
    assert found.epoch == expected.epoch == 2
    assert found.train_loss == pytest.approx(expected.train_loss, rel=0.02)
    assert found.val_accuracy == pytest.approx(expected.val_accuracy, abs=0.02)


def test_a_checkpoint_of_a_gpu_goes_on_on_the_cpu(digits: ImageData) -> None:
    first = build_training(PLAIN, digits, CUDA, seed=0)
    next(fit(first))
    second = build_training(PLAIN, digits, CPU, seed=0)
    second.load_state_dict(first.state_dict())
    assert next(fit(second)).epoch == 2


def test_data_that_does_not_fit_stays_on_the_host(
    digits: ImageData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainables.training.inputs.SHARE_OF_DEVICE_MEMORY", 0.0)
    monkeypatch.setattr("trainables.training.inputs._placed", {})
    training = build_training(AUGMENTED, digits, CUDA, seed=0)
    assert training.inputs.placed.arrays[0].device.type == "cpu"
    assert list(fit(training))[-1].val_accuracy > 0.8


def gradients(training: Training) -> torch.Tensor:
    return torch.cat([p.grad.flatten() for p in training.model.parameters() if p.grad is not None])


def test_a_batch_in_parts_has_the_gradients_of_the_whole(digits: ImageData) -> None:
    """Of a network without batch norm, which sees the parts."""
    flat = {"architecture": "linear", "epochs": 1, "batch_size": 2000}
    whole, parts = (build_training(flat, digits, CUDA, seed=0) for _ in range(2))
    parts._micro_batches.count = 4
    for training in (whole, parts):
        training.run_steps()
    torch.testing.assert_close(gradients(parts), gradients(whole), rtol=1e-3, atol=1e-6)
