"""Which images a training sees, and in what order."""

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
from torch import Tensor, nn

from tests.trainables.training.trainings import CPU, HARD, MLP
from trainables.config import TrialConfig
from trainables.datasets import ImageData
from trainables.training.fit import Training, build_training, fit
from trainables.training.inputs import ImageInputs, Placed
from trainables.training.normalisation import Normalisation

MakeData = Callable[..., ImageData]


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
    data = replace(make_data(), fingerprint="placed by no other test")
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
