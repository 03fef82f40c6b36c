"""The training loop: learning, determinism, resuming, and what it may look at."""

import math
from collections.abc import Callable
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from trainables.architectures import mlp
from trainables.config import ConfigError, Runtime, ScheduleName, TrialConfig
from trainables.config.optimizers import OPTIMIZERS
from trainables.datasets import ImageData
from trainables.metrics import EpochMetrics
from trainables.storage import LocalStorage
from trainables.training.device import memory_format
from trainables.training.fit import Training, _epoch_seeds, build_training, fit
from trainables.training.inputs import ImageInputs, Placed
from trainables.training.normalisation import Normalisation, train_normalisation
from trainables.trials.checkpoint import Checkpoints

CPU = Runtime(device="cpu")

MLP = {"architecture": "mlp", "hidden_1": 16, "batch_size": 16, "epochs": 4, "lr": 3e-3}
HARD = {
    "dropout": 0.3,
    "label_smoothing": 0.1,
    "horizontal_flip": 0.5,
    "crop_padding": 0.2,
    "rotation_degrees": 10,
}

MakeData = Callable[..., ImageData]


def figures(reports: list[EpochMetrics]) -> list[dict[str, Any]]:
    """All that must repeat to the bit."""
    return [{k: v for k, v in asdict(report).items() if k != "seconds"} for report in reports]


def same_weights(one: Training, other: Training) -> bool:
    mine, theirs = one.model.state_dict(), other.model.state_dict()
    return all(torch.equal(mine[name], theirs[name]) for name in mine)


class Recorder(nn.Module):
    """Notes which images it is given to train on, told by their first pixel."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.classifier = nn.Linear(1, num_classes)
        self.batches: list[list[int]] = []
        self.evaluated: list[int] = []

    def forward(self, images_NCHW: Tensor) -> Tensor:
        first_N1 = images_NCHW[:, :1, 0, 0]
        seen = first_N1[:, 0].round().int().tolist()
        if self.training:
            self.batches.append(seen)
        else:
            self.evaluated += seen
        logits_NK: Tensor = self.classifier(first_N1)
        return logits_NK


def record(data: ImageData, *, batch_size: int, epochs: int = 2) -> tuple[Recorder, Training]:
    """Train a recorder on `data`, whose images are replaced by their own index."""
    numbers = np.arange(len(data.labels_N), dtype=np.uint8)[:, None, None, None]
    numbered = replace(data, images_NHWC=np.broadcast_to(numbers, data.images_NHWC.shape).copy())
    config = TrialConfig(architecture="recorder", epochs=epochs, batch_size=batch_size, lr=1e-6)
    inputs = ImageInputs(Placed(numbered, None, CPU), config, CPU, in_channels=1)
    inputs.normalisation = Normalisation(mean=(0.0,), std=(1 / 255,))
    recorder = Recorder(data.num_classes)
    training = Training(recorder, config, inputs, runtime=CPU, seed=0)
    return recorder, training


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


@pytest.mark.parametrize("architecture", ["mlp", "cnn"])
def test_same_seed_gives_the_same_to_the_bit(make_data: MakeData, architecture: str) -> None:
    flat = {"architecture": architecture, "epochs": 2, "batch_size": 16, **HARD}
    one, same, other = (build_training(flat, make_data(), CPU, seed=seed) for seed in (11, 11, 12))
    reports = figures(list(fit(one)))
    assert figures(list(fit(same))) == reports
    assert same_weights(one, same)
    assert figures(list(fit(other))) != reports


@pytest.mark.parametrize("channels_last", [False, True])
def test_the_weights_are_to_the_bit_those_of_a_loop_as_torch_teaches_it(
    make_data: MakeData, channels_last: bool
) -> None:
    data = make_data(channels=3)
    runtime = replace(CPU, channels_last=channels_last)
    flat = {"architecture": "cnn", "epochs": 2, "batch_size": 16, "lr": 3e-3, "optimizer": "sgd"}
    training, other = (build_training(flat, data, runtime, seed=4) for _ in range(2))
    list(fit(training))

    network = other.model.train()
    optimizer = torch.optim.SGD(network.parameters(), lr=3e-3, momentum=other.config.momentum)
    chosen_N = torch.from_numpy(data.train_indices)
    pixels_NHWC = torch.from_numpy(data.images_NHWC)[chosen_N].float()
    given = train_normalisation(data)
    mean, scale = torch.tensor(given.mean) * 255, 1 / (torch.tensor(given.std) * 255)
    images_NCHW = torch.addcmul(-mean * scale, pixels_NHWC, scale).permute(0, 3, 1, 2)
    labels_N = torch.from_numpy(data.labels_N)[chosen_N]
    for epoch in range(2):
        _, seed = _epoch_seeds(4, epoch)
        order_N = torch.randperm(len(labels_N), generator=torch.Generator().manual_seed(seed))
        for batch_N in order_N.tensor_split(training.num_steps):
            batch_NCHW = images_NCHW[batch_N].contiguous(memory_format=memory_format(runtime))
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(network(batch_NCHW), labels_N[batch_N])
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    assert same_weights(training, other)


def test_what_else_draws_random_numbers_does_not_matter(make_data: MakeData) -> None:
    one, same = (build_training({**MLP, **HARD}, make_data(), CPU, seed=0) for _ in range(2))
    expected = figures(list(fit(one)))
    reports = []
    for report in fit(same):
        torch.rand(7)
        np.random.default_rng().random()
        reports.append(report)
    assert figures(reports) == expected


def test_the_data_set_tells_apart_what_a_worker_has_placed(make_data: MakeData) -> None:
    first = build_training(MLP, make_data(seed=1), CPU, seed=0)
    second = build_training(MLP, make_data(seed=2), CPU, seed=0)
    again = build_training(MLP, make_data(seed=1), CPU, seed=0)
    expected = figures(list(fit(first)))
    assert figures(list(fit(second))) != expected
    assert figures(list(fit(again))) == expected


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", get_args(ScheduleName))
def test_resuming_gives_the_same_to_the_bit(
    make_data: MakeData, tmp_path: Path, schedule: str, optimizer: str
) -> None:
    data = make_data()
    flat = {**MLP, **HARD, "schedule": schedule, "optimizer": optimizer}
    whole = build_training(flat, data, CPU, seed=5)
    expected = figures(list(fit(whole)))

    interrupted = build_training(flat, data, CPU, seed=5)
    for _ in range(2):
        interrupted.run_epoch()
    folder = Checkpoints(LocalStorage(tmp_path))
    folder.save(interrupted.epoch, interrupted.state_dict())

    resumed = build_training(flat, data, CPU, seed=5)
    state = folder.load_newest().state
    assert state is not None
    resumed.load_state_dict(state)
    assert resumed.epoch == 2
    assert [report.epoch for report in fit(resumed)] == [3, 4]
    assert figures(resumed.history) == expected
    assert same_weights(resumed, whole)


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


@pytest.mark.parametrize("batch_size", [1, 7, 16, 59, 60, 1000])
def test_every_train_image_once_an_epoch_in_batches_of_even_size(
    make_data: MakeData, batch_size: int
) -> None:
    data = make_data()
    recorder, training = record(data, batch_size=batch_size)
    num_steps = math.ceil(60 / batch_size)
    for _ in fit(training):
        batches, recorder.batches = recorder.batches, []
        assert sorted(chain(*batches)) == data.train_indices.tolist()
        assert len(batches) == num_steps == training.num_steps
        sizes = {len(batch) for batch in batches}
        assert max(sizes) <= batch_size
        assert max(sizes) - min(sizes) <= 1


def test_the_order_is_another_in_every_epoch(make_data: MakeData) -> None:
    recorder, training = record(make_data(), batch_size=60)
    training.run_epoch()
    training.run_epoch()
    first, second = recorder.batches
    assert first != sorted(first)
    assert first != second


def test_a_left_over_image_is_no_batch_of_its_own(make_data: MakeData) -> None:
    flat = {**MLP, "epochs": 1, "batch_size": 20}
    (report,) = fit(build_training(flat, make_data(train=61), CPU, seed=0))
    assert not report.diverged


def test_test_images_are_not_looked_at(make_data: MakeData) -> None:
    data = make_data()
    poisoned = data.labels_N.copy()
    poisoned[data.test_indices] = 10**6
    recorder, training = record(replace(data, labels_N=poisoned), batch_size=16)
    list(fit(training))
    seen = {*chain(*recorder.batches), *recorder.evaluated}
    assert seen == {*data.train_indices.tolist(), *data.validation_indices.tolist()}
    with pytest.raises(IndexError):
        training.evaluate(training.inputs.placed.test)


def test_read_only_arrays_are_used_as_they_are(make_data: MakeData) -> None:
    data = make_data()
    assert not data.images_NHWC.flags.writeable
    before = data.images_NHWC.tobytes()
    training = build_training({**MLP, **HARD}, data, CPU, seed=0)
    list(fit(training))
    assert data.images_NHWC.tobytes() == before
    assert training.inputs.placed.arrays[0].data_ptr() == data.images_NHWC.ctypes.data


def test_validation_is_not_augmented(make_data: MakeData) -> None:
    extreme = {"vertical_flip": 1.0, "crop_padding": 0.5, "rotation_degrees": 180.0}
    data = make_data()
    plain, augmenting = (
        build_training({**MLP, **knobs}, data, CPU, seed=0) for knobs in ({}, extreme)
    )
    expected = plain.evaluate(plain.inputs.placed.validation)
    assert augmenting.evaluate(augmenting.inputs.placed.validation) == expected
    train_loss = plain.run_epoch().train_loss
    assert augmenting.run_epoch().train_loss != train_loss


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


BEST = {**MLP, "epochs": 8, "lr": 3.0, "optimizer": "sgd", "momentum": 0.0, "keep": "log_loss"}


@pytest.mark.parametrize("ema_epochs", [0.0, 0.5])
def test_the_best_epoch_is_kept_and_said(make_data: MakeData, ema_epochs: float) -> None:
    data, flat = make_data(), {**BEST, "ema_epochs": ema_epochs}
    last = build_training({**flat, "keep": "last"}, data, CPU, seed=0)
    losses = [report.val_loss for report in fit(last)]
    best = losses.index(min(losses)) + 1
    assert best < 8
    training = build_training(flat, data, CPU, seed=0)
    reports = list(fit(training))
    assert [report.kept_epoch for report in reports] == [None] * 7 + [best]
    assert [report.val_loss for report in reports] == [*losses[:7], min(losses)]
    assert training.evaluate(training.inputs.placed.validation).loss == min(losses)
    until = build_training({**flat, "keep": "last"}, data, CPU, seed=0)
    for _ in range(best):
        until.run_epoch()
    assert same_weights(training, until)


def test_a_resumed_training_keeps_the_epoch_that_was_best_before(make_data: MakeData) -> None:
    straight = build_training(BEST, make_data(), CPU, seed=0)
    reports = figures(list(fit(straight)))
    first, second = (build_training(BEST, make_data(), CPU, seed=0) for _ in range(2))
    for _ in range(7):
        first.run_epoch()
    second.load_state_dict(first.state_dict())
    assert figures(list(fit(second))) == reports[7:]
    assert same_weights(straight, second)
