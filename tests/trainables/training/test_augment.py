"""Augmentation and normalisation of a batch."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.functional import affine, rotate

from trainables.config import TrialConfig
from trainables.datasets import ImageData
from trainables.training.augment import augment, centre_crop
from trainables.training.normalisation import (
    Normalisation,
    build_normalisation,
    train_normalisation,
)


def augmented(images_NHWC: Tensor, seed: int = 0, /, **knobs: Any) -> Tensor:
    config = TrialConfig(architecture="net", epochs=1, **knobs)
    return augment(images_NHWC, config, torch.Generator().manual_seed(seed))


def noise(count: int = 6, height: int = 10, width: int = 14, channels: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = (count, height, width, channels)
    return torch.randint(1, 256, shape, generator=generator, dtype=torch.uint8)


def windows(padded_HWC: Tensor, height: int, width: int) -> list[Tensor]:
    rows, columns, _ = padded_HWC.shape
    return [
        padded_HWC[top : top + height, left : left + width]
        for top in range(rows - height + 1)
        for left in range(columns - width + 1)
    ]


EVERYTHING = {
    "horizontal_flip": 0.5,
    "vertical_flip": 0.5,
    "crop_padding": 0.3,
    "rotation_degrees": 90.0,
    "shear_degrees": 30.0,
    "zoom": 0.5,
    "translation": 0.3,
}
INTERPOLATING = ("rotation_degrees", "shear_degrees", "zoom", "translation")


@pytest.mark.parametrize("knob", EVERYTHING)
def test_every_image_has_its_own_draw(knob: str) -> None:
    same_image = noise(count=1).expand(32, -1, -1, -1)
    results = augmented(same_image, **{knob: EVERYTHING[knob]})
    assert len(torch.unique(results, dim=0)) > 1


def test_same_generator_same_result() -> None:
    images = noise()
    assert torch.equal(augmented(images, **EVERYTHING), augmented(images, **EVERYTHING))
    assert not torch.equal(augmented(images, **EVERYTHING), augmented(images, 1, **EVERYTHING))


def test_input_stays_unchanged() -> None:
    images = noise()
    augmented(images, **EVERYTHING)
    assert torch.equal(images, noise())


def test_crops_and_flips_keep_uint8_and_what_interpolates_gives_float32() -> None:
    knobs = EVERYTHING | dict.fromkeys(INTERPOLATING, 0.0)
    assert augmented(noise(), **knobs).dtype == torch.uint8
    assert augmented(noise(), **EVERYTHING).dtype == torch.float32


@pytest.mark.parametrize("channels", [1, 3])
def test_shape_and_range_stay(channels: int) -> None:
    images = noise(channels=channels)
    result = augmented(images, **EVERYTHING)
    assert result.shape == images.shape
    assert result.min() >= 0
    assert result.max() <= 255


def test_without_any_knob_it_is_the_identity() -> None:
    assert torch.equal(augmented(noise()), noise())


@pytest.mark.parametrize(("knob", "dimension"), [("horizontal_flip", 2), ("vertical_flip", 1)])
def test_flips(knob: str, dimension: int) -> None:
    images = noise()
    flipped = images.flip(dimension)
    assert torch.equal(augmented(images, **{knob: 1.0}), flipped)

    many = noise(count=400)
    is_flipped = (augmented(many, **{knob: 0.3}) == many.flip(dimension)).flatten(1).all(1)
    is_same = (augmented(many, **{knob: 0.3}) == many).flatten(1).all(1)
    assert (is_flipped ^ is_same).all()
    assert is_flipped.float().mean().item() == pytest.approx(0.3, abs=0.08)


def test_crops_are_windows_of_the_zero_padded_image() -> None:
    image = noise(count=1, height=6, width=9)[0]
    padding = 2  # 0.3 of 6 pixels, rounded
    padded = torch.zeros(6 + 2 * padding, 9 + 2 * padding, 3, dtype=torch.uint8)
    padded[padding:-padding, padding:-padding] = image
    possible = torch.stack(windows(padded, 6, 9))
    results = augmented(image.expand(500, -1, -1, -1), crop_padding=0.3)
    matches = (results[:, None] == possible).flatten(2).all(2)
    assert (matches.sum(1) == 1).all()
    assert matches.any(0).all(), "some window is never drawn"


def test_crop_with_certain_flips_is_a_crop_of_the_flipped_image() -> None:
    image = noise(count=1, height=5, width=5)
    both = {"horizontal_flip": 1.0, "vertical_flip": 1.0}
    cropped = torch.unique(augmented(image.expand(300, -1, -1, -1), crop_padding=0.2), dim=0)
    flipped = image.flip(1, 2).expand(300, -1, -1, -1)
    assert len(cropped) == 9
    assert torch.equal(
        torch.unique(augmented(flipped, crop_padding=0.2, **both), dim=0),
        cropped,
    )


@pytest.mark.parametrize("size", [(16, 16), (12, 25), (25, 12)], ids=str)
def test_rotation_is_torchvisions(size: tuple[int, int]) -> None:
    degrees, count = 75.0, 12
    images = noise(count=count, height=size[0], width=size[1])
    draws = torch.rand(count, generator=torch.Generator().manual_seed(3))
    angles = (2 * draws - 1) * degrees
    assert angles.min() < -20
    assert angles.max() > 20
    results = augmented(images, 3, rotation_degrees=degrees)
    for image, angle, result in zip(images, angles.tolist(), results, strict=True):
        image_CHW = image.permute(2, 0, 1).float()
        expected = rotate(image_CHW, angle, interpolation=InterpolationMode.BILINEAR)
        torch.testing.assert_close(result.permute(2, 0, 1), expected, rtol=0, atol=0.05)


@pytest.mark.parametrize(
    ("knobs", "expected"),
    [
        ({"shear_degrees": 25.0}, {"shear": [25.0, 0.0]}),
        ({"zoom": 0.4}, {"scale": 1.4}),
        ({"translation": 0.25}, {"translate": [-4, -4]}),
        ({"rotation_degrees": 30.0, "zoom": 0.2}, {"angle": -30.0, "scale": 1.2}),
    ],
    ids=str,
)
def test_an_affine_transform_is_torchvisions(
    monkeypatch: pytest.MonkeyPatch, knobs: dict[str, float], expected: dict[str, Any]
) -> None:
    """At the end of the range: every draw is 1. Borders apart, where the two pad differently."""
    image = torch.nn.functional.interpolate(
        noise(count=1, height=4, width=4).permute(0, 3, 1, 2).float(), size=16, mode="bilinear"
    )
    monkeypatch.setattr(torch, "rand", lambda n, **_: torch.ones(n))
    result = augmented(image.permute(0, 2, 3, 1), **knobs).permute(0, 3, 1, 2)
    whole = {"angle": 0.0, "translate": [0, 0], "scale": 1.0, "shear": [0.0, 0.0], **expected}
    theirs = affine(image, interpolation=InterpolationMode.BILINEAR, **whole)
    inside = (slice(None), slice(None), slice(3, 9), slice(3, 9))
    torch.testing.assert_close(result[inside], theirs[inside], rtol=0, atol=0.1)


def test_a_crop_from_a_larger_image_is_a_window_and_evaluation_sees_the_centre() -> None:
    image = noise(count=1, height=6, width=9)[0]
    results = augmented(image.expand(300, -1, -1, -1), crop_fraction=2 / 3)
    possible = torch.stack(windows(image, 4, 6))
    matches = (results[:, None] == possible).flatten(2).all(2)
    assert (matches.sum(1) == 1).all()
    assert matches.any(0).all(), "some window is never drawn"
    assert torch.equal(centre_crop(image[None], 2 / 3)[0], image[1:5, 1:7])
    assert torch.equal(centre_crop(image[None], 1.0)[0], image)


@pytest.mark.parametrize(
    ("name", "num_channels", "in_channels", "mean"),
    [
        ("train", 1, 1, (0.25,)),
        ("train", 1, 3, (0.25, 0.25, 0.25)),
        ("half", 1, 1, (0.5,)),
        ("half", 3, 3, (0.5, 0.5, 0.5)),
        ("unit", 3, 3, (0.0, 0.0, 0.0)),
        ("imagenet", 3, 3, (0.485, 0.456, 0.406)),
        ("imagenet", 1, 3, (0.485, 0.456, 0.406)),
        ("imagenet", 1, 1, (0.449,)),
    ],
)
def test_a_normalisation_that_is_given_has_the_networks_channels(
    name: str, num_channels: int, in_channels: int, mean: tuple[float, ...]
) -> None:
    train = Normalisation(mean=(0.25,) * num_channels, std=(0.2,) * num_channels)
    found = build_normalisation(name, train, num_channels=num_channels, in_channels=in_channels)
    assert found.mean == pytest.approx(mean)
    images = noise(channels=num_channels)
    assert found(images, torch.contiguous_format).shape[1] == in_channels


def test_a_rotation_of_next_to_nothing_is_next_to_the_identity() -> None:
    result = augmented(noise(), rotation_degrees=1e-4)
    torch.testing.assert_close(result, noise().float(), rtol=0, atol=0.1)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last], ids=str)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32], ids=str)
@pytest.mark.parametrize("channels", [1, 3])
def test_normalisation(
    channels: int, dtype: torch.dtype, memory_format: torch.memory_format
) -> None:
    mean, std = (0.4, 0.5, 0.6)[:channels], (0.1, 0.2, 0.3)[:channels]
    images = noise(channels=channels)
    result = Normalisation(mean=mean, std=std)(images.to(dtype), memory_format)
    expected = (images.numpy() / 255 - np.array(mean)) / np.array(std)
    np.testing.assert_allclose(result.permute(0, 2, 3, 1).numpy(), expected, atol=1e-5)
    assert result.dtype == torch.float32
    assert result.is_contiguous(memory_format=memory_format)


@pytest.mark.parametrize("channels", [1, 3])
def test_train_normalisation_is_of_the_train_split_alone(
    make_data: Callable[..., ImageData], channels: int
) -> None:
    data = make_data(channels=channels, train=5000, size=(4, 5))
    pixels = data.images_NHWC[data.train_indices] / 255
    found = train_normalisation(data)
    np.testing.assert_allclose(found.mean, pixels.mean((0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(found.std, pixels.std((0, 1, 2)), rtol=1e-12)
    everything = data.images_NHWC.mean((0, 1, 2)) / 255
    assert not np.allclose(found.mean, everything, rtol=1e-6)


def test_a_constant_channel_does_not_divide_by_zero(make_data: Callable[..., ImageData]) -> None:
    data = make_data(classes=1)
    constant = np.full_like(data.images_NHWC, 7)
    blank = ImageData(
        **{name: getattr(data, name) for name in ImageData.__slots__} | {"images_NHWC": constant}
    )
    result = train_normalisation(blank)(torch.from_numpy(constant), torch.contiguous_format)
    assert math.isclose(result.abs().max().item(), 0, abs_tol=1e-5)
