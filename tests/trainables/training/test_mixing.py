"""Training on mixed labels: its loss, what is recorded, and what must repeat to the bit."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from trainables.config import ConfigError, Runtime
from trainables.datasets import ImageData
from trainables.metrics import EpochMetrics
from trainables.training import fit as module
from trainables.training.augment import mixed
from trainables.training.fit import Training, build_training, fit

MakeData = Callable[..., ImageData]

CPU = Runtime(device="cpu")
MIXING = {"mixup_alpha": 0.4, "cutmix_alpha": 1.0}
STRONG = {
    "architecture": "cnn",
    "epochs": 3,
    "batch_size": 16,
    "lr": 3e-3,
    "label_smoothing": 0.1,
    "horizontal_flip": 0.5,
    "trivial_augment": 0.7,
    "brightness": 0.3,
    "hue": 0.1,
    "random_erasing": 0.5,
    **MIXING,
}
STILL = {"architecture": "linear", "epochs": 1, "batch_size": 16, "optimizer": "sgd", "lr": 1e-30}
"""It does not learn, so that an epoch's loss is that of one model."""


def figures(reports: list[EpochMetrics]) -> list[dict[str, Any]]:
    return [{k: v for k, v in asdict(report).items() if k != "seconds"} for report in reports]


def weights(training: Training) -> dict[str, Tensor]:
    return training.model.state_dict()


@pytest.mark.parametrize("channels", [1, 3])
def test_resuming_gives_the_same_to_the_bit(make_data: MakeData, channels: int) -> None:
    data = make_data(channels=channels, train=61)
    whole, interrupted, resumed, other = (
        build_training(STRONG, data, CPU, seed=seed) for seed in (5, 5, 5, 6)
    )
    expected = figures(list(fit(whole)))
    interrupted.run_epoch()
    resumed.load_state_dict(interrupted.state_dict())
    list(fit(resumed))
    assert figures(resumed.history) == expected
    for name, tensor in weights(resumed).items():
        assert torch.equal(tensor, weights(whole)[name])
    assert figures(list(fit(other))) != expected


@pytest.mark.parametrize("knobs", [{"mixup_alpha": 0.4}, {"cutmix_alpha": 1.0}, MIXING], ids=str)
def test_the_loss_is_the_cross_entropy_of_the_shares(
    make_data: MakeData, monkeypatch: pytest.MonkeyPatch, knobs: dict[str, float]
) -> None:
    """By a plain formula, with label smoothing, in batches of unequal size."""
    smoothing, num_classes, count = 0.2, 3, 61
    losses: list[Tensor] = []

    def spy(*arguments: Any) -> tuple[Tensor, Tensor]:
        images_NCHW, targets_NK = mixed(*arguments)
        with torch.no_grad():
            log_p_NK = training.model(images_NCHW).log_softmax(1)
        smooth_NK = (1 - smoothing) * targets_NK + smoothing / num_classes
        losses.append(-(smooth_NK * log_p_NK).sum())
        return images_NCHW, targets_NK

    monkeypatch.setattr(module, "mixed", spy)
    flat = {**STILL, **knobs, "label_smoothing": smoothing}
    training = build_training(flat, make_data(train=count, classes=num_classes), CPU, seed=0)
    report = training.run_epoch()
    assert report.train_loss == pytest.approx(torch.stack(losses).sum().item() / count, rel=1e-5)


def test_a_training_accuracy_is_recorded_unless_labels_are_mixed(make_data: MakeData) -> None:
    data = make_data()
    strong = {name: knob for name, knob in STRONG.items() if name not in MIXING}
    assert build_training(strong, data, CPU, seed=0).run_epoch().train_accuracy is not None
    for name, alpha in MIXING.items():
        metrics = build_training({**strong, name: alpha}, data, CPU, seed=0).run_epoch()
        assert metrics.train_accuracy is None
        assert "train_accuracy" not in metrics.to_json()


def test_it_learns_in_the_arithmetic_of_a_gpu(make_data: MakeData) -> None:
    runtime = Runtime(device="cpu", precision="bf16", channels_last=True)
    flat = {**STRONG, "epochs": 8, "trivial_augment": 0.2, "random_erasing": 0.2}
    reports = list(fit(build_training(flat, make_data(channels=3, train=120), runtime, seed=0)))
    assert reports[-1].val_accuracy > 0.9
    assert not any(report.diverged for report in reports)


def test_batches_of_one_image_train(make_data: MakeData) -> None:
    data = make_data(train=5)
    losses = [
        build_training({**STILL, **knobs, "batch_size": 1}, data, CPU, seed=0)
        .run_epoch()
        .train_loss
        for knobs in ({}, MIXING)
    ]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)


def test_a_batch_in_parts_has_the_loss_of_the_whole(make_data: MakeData) -> None:
    def out_of_memory(_module: nn.Module, images: tuple[Tensor]) -> None:
        if len(images[0]) > 6 and torch.is_grad_enabled() and not torch.is_inference_mode_enabled():
            raise torch.OutOfMemoryError

    whole, split = (build_training({**STILL, **MIXING}, make_data(), CPU, seed=0) for _ in range(2))
    split.model.register_forward_pre_hook(out_of_memory)
    expected, found = whole.run_epoch(), split.run_epoch()
    assert found.num_micro_batches == 4
    assert found.train_loss == pytest.approx(expected.train_loss, rel=1e-5)


def test_validation_is_neither_augmented_nor_mixed(make_data: MakeData) -> None:
    data = make_data(channels=3)
    plain_flat = {"architecture": "cnn", "epochs": 3, "batch_size": 16}
    plain, strong = (build_training(flat, data, CPU, seed=0) for flat in (plain_flat, STRONG))
    for indices in (plain.inputs.placed.validation, plain.inputs.placed.test):
        assert torch.equal(strong.predict_logits(indices), plain.predict_logits(indices))
        assert strong.evaluate(indices) == plain.evaluate(indices)


@pytest.mark.parametrize("name", MIXING)
def test_a_negative_alpha_is_refused(make_data: MakeData, name: str) -> None:
    with pytest.raises(ConfigError, match=rf"{name} = -1\.0: must be at least 0"):
        build_training({**STILL, name: -1.0}, make_data(), CPU, seed=0)
