"""The training loop: learning, determinism, resuming, and what it may look at."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from tests.trainables.training.trainings import CPU, MLP
from trainables.architectures import mlp
from trainables.config import ConfigError
from trainables.datasets import ImageData
from trainables.metrics import EpochMetrics
from trainables.training.fit import build_training, fit

MakeData = Callable[..., ImageData]


def falls(values: list[float | None]) -> bool:
    known = [value for value in values if value is not None]
    return len(known) == len(values) and known == sorted(set(known), reverse=True)


@pytest.mark.parametrize("architecture", ["linear", "mlp", "cnn"])
def test_learns(make_data: MakeData, architecture: str) -> None:
    flat = {"architecture": architecture, "epochs": 6, "batch_size": 16, "lr": 3e-3}
    reports = list(fit(build_training(flat, make_data(), CPU, seed=0)))
    assert [report.epoch for report in reports] == [1, 2, 3, 4, 5, 6]
    assert reports[-1].val_accuracy > 0.9
    assert (reports[-1].train_accuracy or 0) > 0.9
    assert reports[-1].val_loss < reports[0].val_loss
    assert falls([report.train_loss for report in (reports[0], reports[-1])])
    assert not any(report.diverged for report in reports)


def test_a_finished_training_has_no_further_epochs(make_data: MakeData) -> None:
    training = build_training(MLP, make_data(), CPU, seed=0)
    assert len(list(fit(training))) == 4
    assert list(fit(training)) == []


def test_a_diverging_training_ends_and_says_so(make_data: MakeData) -> None:
    flat = {**MLP, "batch_norm": False, "optimizer": "sgd", "lr": 1e20}
    reports = list(fit(build_training(flat, make_data(), CPU, seed=0)))
    assert len(reports) < 4
    assert reports[-1].diverged
    assert not any(report.diverged for report in reports[:-1])


@pytest.mark.parametrize("name", ["train_loss", "val_loss"])
@pytest.mark.parametrize("value", [math.nan, math.inf, 1e24])
def test_a_report_says_that_a_loss_has_diverged(name: str, value: float) -> None:
    report = EpochMetrics(
        epoch=1,
        train_loss=0.1,
        train_accuracy=1,
        val_loss=0.1,
        val_accuracy=1,
        lr=0.1,
        seconds=1,
    )
    assert not report.diverged
    assert replace(report, **{name: value}).diverged  # type: ignore[arg-type]


def test_the_rate_reported_is_the_one_the_epoch_began_with(make_data: MakeData) -> None:
    flat = {**MLP, "schedule": "exponential", "exponential_gamma": 0.5}
    reports = list(fit(build_training(flat, make_data(), CPU, seed=0)))
    assert [report.lr for report in reports] == [3e-3, 1.5e-3, 0.75e-3, 0.375e-3]


def test_a_plateau_is_one_of_validation_accuracy(make_data: MakeData) -> None:
    """Where every validation label is wrong, so that what helps training hurts validation."""
    data = make_data()
    labels_N = data.labels_N.copy()
    labels_N[data.validation_indices] = (labels_N[data.validation_indices] + 1) % 3
    wrong = replace(data, labels_N=labels_N, fingerprint="wrong")
    flat = {**MLP, "epochs": 3, "lr": 1e-3}
    flat |= {"schedule": "plateau", "plateau_patience": 0, "plateau_factor": 0.5}
    reports = list(fit(build_training(flat, wrong, CPU, seed=0)))
    assert falls([report.train_accuracy for report in reversed(reports)])
    assert reports[0].val_accuracy > reports[1].val_accuracy > reports[2].val_accuracy
    assert [report.lr for report in reports] == [1e-3, 1e-3, 5e-4]


def test_a_left_over_image_is_no_batch_of_its_own(make_data: MakeData) -> None:
    flat = {**MLP, "epochs": 1, "batch_size": 20}
    (report,) = fit(build_training(flat, make_data(train=61), CPU, seed=0))
    assert not report.diverged


def test_train_figures_are_means_over_images(make_data: MakeData) -> None:
    """Of a model that does not learn, in batches of unequal size."""
    data = make_data(train=61)
    flat = {"architecture": "linear", "epochs": 1, "batch_size": 16, "optimizer": "sgd"}
    training = build_training({**flat, "lr": 1e-30}, data, CPU, seed=0)
    expected = training.evaluate(training.inputs.placed.train)
    report = training.run_epoch()
    assert report.train_loss == pytest.approx(expected.loss, rel=1e-5)
    assert report.train_accuracy == pytest.approx(expected.accuracy)


def test_label_smoothing_is_of_training_alone(make_data: MakeData) -> None:
    data = make_data()
    losses = []
    for smoothing in (0.0, 0.5):
        flat = {**MLP, "lr": 1e-30, "optimizer": "sgd", "label_smoothing": smoothing}
        losses.append(build_training(flat, data, CPU, seed=0).run_epoch())
    plain, smooth = losses
    assert smooth.train_loss != pytest.approx(plain.train_loss, rel=1e-3)
    assert smooth.val_loss == plain.val_loss


def test_model_is_built_for_the_data(make_data: MakeData) -> None:
    data = make_data(size=(6, 9), channels=3, classes=4)
    model = build_training(MLP, data, CPU, seed=0).model
    assert isinstance(model, mlp.Model)
    assert model(torch.zeros(2, 3, 6, 9)).shape == (2, 4)


def test_a_wrong_configuration_is_refused(make_data: MakeData) -> None:
    with pytest.raises(ConfigError, match="hiden_1 = 3: unknown key"):
        build_training({**MLP, "hiden_1": 3}, make_data(), CPU, seed=0)
    with pytest.raises(ConfigError, match="architecture: required"):
        build_training({"epochs": 1}, make_data(), CPU, seed=0)


def test_batch_norm_on_single_images_says_what_to_do(make_data: MakeData) -> None:
    with pytest.raises(ConfigError, match=r"batch_size = 1: batch norm .* take a larger batch"):
        build_training({**MLP, "batch_size": 1}, make_data(), CPU, seed=0).run_epoch()


def test_so_it_does_where_memory_allows_single_images_only(make_data: MakeData) -> None:
    training = build_training({**MLP, "batch_size": 4}, make_data(), CPU, seed=0)

    def out_of_memory(_module: nn.Module, images: tuple[Tensor]) -> None:
        if len(images[0]) > 1:
            raise torch.OutOfMemoryError

    training.model.register_forward_pre_hook(out_of_memory)
    with pytest.raises(ConfigError, match="nor in 2 parts; a smaller model"):
        training.run_epoch()


def test_a_rate_that_batch_norm_keeps_finite_diverges(make_data: MakeData) -> None:
    flat = {"architecture": "cnn", "epochs": 4, "optimizer": "sgd", "lr": 1e6}
    [report] = fit(build_training(flat, make_data(), CPU, seed=0))
    assert report.diverged
    assert report.train_loss is not None
    assert math.isfinite(report.train_loss)
