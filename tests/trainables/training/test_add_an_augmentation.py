"""An augmentation that is added from outside the package works like one of its own."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from trainables.config import ConfigError, Runtime
from trainables.config.augmentations import AUGMENTATIONS, Augmentation, probability
from trainables.config.validation import Fraction
from trainables.datasets import ImageData
from trainables.registry import default_of
from trainables.training.fit import Training, build_training, fit

MakeData = Callable[..., ImageData]

FLAT = {"architecture": "mlp", "epochs": 2, "batch_size": 16, "lr": 3e-3}
SIDE = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Erase(Augmentation):
    """Random erasing (Zhong et al. 2020) of one square."""

    erase: Fraction = probability()

    def apply(
        self, images_NHWC: Tensor, generator: torch.Generator, crop_fraction: float
    ) -> Tensor:
        if not self.erase:
            return images_NHWC
        n, height, width, _ = images_NHWC.shape
        device = images_NHWC.device

        def inside(side: int) -> Tensor:
            first = torch.randint(side - SIDE + 1, (n, 1), device=device, generator=generator)
            line = torch.arange(side, device=device)
            return (line >= first) & (line < first + SIDE)

        erased_NHW = inside(height)[:, :, None] & inside(width)[:, None, :]
        chosen = torch.rand(n, device=device, generator=generator) < self.erase
        return images_NHWC.masked_fill((erased_NHW & chosen[:, None, None])[..., None], 0)


@pytest.fixture
def _erase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(AUGMENTATIONS, "erase", Erase)


def build(data: ImageData, **knobs: Any) -> Training:
    return build_training({**FLAT, **knobs}, data, Runtime(device="cpu"), seed=0)


def train_losses(training: Training) -> list[float]:
    return [report.train_loss or 0.0 for report in fit(training)]


def white(data: ImageData) -> ImageData:
    return replace(data, images_NHWC=np.full_like(data.images_NHWC, 255))


def num_black(images_NCHW: Tensor) -> list[int]:
    return (images_NCHW == 0).flatten(1).sum(dim=1).tolist()


@pytest.mark.usefixtures("_erase")
def test_training_batches_are_erased_and_those_of_evaluation_are_not(make_data: MakeData) -> None:
    inputs = build(white(make_data()), erase=1.0, normalisation="unit").inputs
    train = inputs.placed.train
    assert num_black(inputs.augmented(train, torch.Generator())) == [SIDE**2] * len(train)
    assert num_black(inputs.plain(train)) == [0] * len(train)

    some = build(white(make_data(train=300)), erase=0.3, normalisation="unit").inputs
    erased = num_black(some.augmented(some.placed.train, torch.Generator()))
    assert set(erased) == {0, SIDE**2}
    assert erased.count(0) / len(erased) == pytest.approx(0.7, abs=0.1)


@pytest.mark.usefixtures("_erase")
def test_it_works_with_the_others_and_trains(make_data: MakeData) -> None:
    knobs = {"erase": 0.5, "horizontal_flip": 0.5, "rotation_degrees": 10.0}
    losses = train_losses(build(make_data(), **knobs))
    assert len(losses) == 2
    assert losses[1] < losses[0]
    assert losses != train_losses(build(make_data(), **{**knobs, "erase": 0.0}))


def test_who_does_not_use_it_trains_as_before_to_the_bit(
    make_data: MakeData, monkeypatch: pytest.MonkeyPatch
) -> None:
    knobs = {"horizontal_flip": 0.5, "rotation_degrees": 10.0}
    before = train_losses(build(make_data(), **knobs))
    monkeypatch.setitem(AUGMENTATIONS, "erase", Erase)
    assert train_losses(build(make_data(), **knobs)) == before


@pytest.mark.usefixtures("_erase")
def test_its_knob_is_one_of_the_configuration(make_data: MakeData) -> None:
    default = default_of("mlp", 2)
    assert default["erase"] == 0.0
    assert build(make_data(), **default).config.augmentations[-1] == Erase()
    assert build(make_data(), erase=1).config.augmentations[-1] == Erase(erase=1.0)


@pytest.mark.usefixtures("_erase")
@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("erase", 1.5, "must be in [0, 1]"),
        ("erase", "often", "must be of type float, not str"),
        ("erased", 0.5, "unknown key (did you mean 'erase'?)"),
    ],
)
def test_wrong_knobs_are_refused(
    make_data: MakeData, key: str, value: object, problem: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"{key} = {value!r}: {problem}")):
        build(make_data(), **{key: value})


def test_it_is_unknown_where_nobody_added_it(make_data: MakeData) -> None:
    with pytest.raises(ConfigError, match=r"erase = 0\.5: unknown key"):
        build(make_data(), erase=0.5)
    assert "erase" not in default_of("mlp", 2)
