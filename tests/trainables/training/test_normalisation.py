"""Normalisation of a batch."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from trainables.datasets import ImageData, load_dataset
from trainables.training.normalisation import (
    Normalisation,
    build_normalisation,
    train_normalisation,
)


def noise(channels: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(1, 256, (6, 10, 14, channels), generator=generator, dtype=torch.uint8)


WEIGHTS = Normalisation(mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 0.6))


@pytest.mark.parametrize(
    ("name", "num_channels", "in_channels", "mean"),
    [
        ("train", 1, 1, (0.25,)),
        ("train", 1, 3, (0.25, 0.25, 0.25)),
        ("weights", 3, 3, (0.1, 0.2, 0.3)),
        ("weights", 1, 3, (0.1, 0.2, 0.3)),
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
    found = build_normalisation(
        name, train, weights=WEIGHTS, num_channels=num_channels, in_channels=in_channels
    )
    assert found.mean == pytest.approx(mean)
    images = noise(channels=num_channels)
    assert found(images, torch.contiguous_format).shape[1] == in_channels


def test_without_weights_it_is_that_of_the_train_split() -> None:
    train = Normalisation(mean=(0.25,), std=(0.2,))
    assert (
        build_normalisation("weights", train, weights=None, num_channels=1, in_channels=1) == train
    )


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


@pytest.mark.parametrize("planes", [False, True])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32], ids=str)
@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_are_normalised_by_one_product_and_one_sum_to_the_bit(
    channels: int, dtype: torch.dtype, planes: bool
) -> None:
    """Wherever they lie in memory, and whatever the sizes of what they are combined with."""
    given = WEIGHTS.mean[:channels], WEIGHTS.std[:channels]
    mean, scale = torch.tensor(given[0]) * 255, 1 / (torch.tensor(given[1]) * 255)
    images = noise(channels=channels).to(dtype)
    expected = torch.addcmul(-mean * scale, images.float(), scale).permute(0, 3, 1, 2)
    if planes:
        images = images.permute(0, 3, 1, 2).contiguous().permute(0, 2, 3, 1)
    result = Normalisation(mean=given[0], std=given[1])(images, torch.contiguous_format)
    assert torch.equal(result, expected)


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


def test_what_was_computed_is_kept_beside_the_decoded_images(tmp_path: Path) -> None:
    data = load_dataset("digits", data_dir=tmp_path, folds=3)
    assert data.decoded
    for fold in (data.in_fold(0), data.in_fold(1)):
        computed = train_normalisation(replace(fold, decoded=None))
        assert train_normalisation(fold) == computed
        assert train_normalisation(replace(fold, images_NHWC=fold.images_NHWC[:0])) == computed
    first, second = sorted(data.decoded.glob("normalisation-*.json"))
    assert first.read_text() != second.read_text()
    first.write_text("damaged")
    second.unlink()
    assert train_normalisation(data) == train_normalisation(replace(data, decoded=None))
