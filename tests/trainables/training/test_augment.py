"""Augmentation of a batch."""

import hashlib
from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.functional import affine, rotate

from trainables.config import TrialConfig, parse_trial
from trainables.image_ops.geometry import centre_crop, warp
from trainables.training.augment import augment


@dataclass(frozen=True)
class NoKnobs:
    """The `Config` of an architecture that has none."""


def augmented(images_NHWC: Tensor, seed: int = 0, /, **knobs: Any) -> Tensor:
    return augment(images_NHWC, parse(knobs), torch.Generator().manual_seed(seed))


def parse(knobs: dict[str, Any]) -> TrialConfig:
    config, _ = parse_trial({"architecture": "net", "epochs": 1, **knobs}, NoKnobs)
    return config


def next_draw(generator: torch.Generator) -> int:
    return int(torch.randint(10**6, (), generator=generator))


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


SHIFTS = {"horizontal_flip": 0.5, "vertical_flip": 0.3, "crop_padding": 0.3}
AFFINE = {"rotation_degrees": 90.0, "shear_degrees": 30.0, "zoom": 0.5, "translation": 0.3}
STRONG = {
    "trivial_augment": 0.7,
    "brightness": 0.4,
    "contrast": 0.4,
    "saturation": 0.4,
    "hue": 0.2,
    "random_erasing": 0.5,
}
EVERYTHING = SHIFTS | AFFINE | STRONG


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
    assert augmented(noise(), **SHIFTS).dtype == torch.uint8
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


@pytest.mark.parametrize(("height", "width"), [(10, 14), (1, 5), (32, 32)])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32], ids=str)
def test_a_warp_looks_where_torchs_grid_does(height: int, width: int, dtype: torch.dtype) -> None:
    images = noise(height=height, width=width).to(dtype)
    map_N23 = torch.randn(len(images), 2, 3, generator=torch.Generator().manual_seed(0)) / 2
    images_NCHW = images.permute(0, 3, 1, 2).float()
    grid = F.affine_grid(map_N23, list(images_NCHW.shape), align_corners=False)
    expected = F.grid_sample(images_NCHW, grid, align_corners=False).permute(0, 2, 3, 1)
    assert expected.count_nonzero() > 0
    found = warp(images, map_N23, mode="bilinear")
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-2)


def test_a_crop_from_a_larger_image_is_a_window_and_evaluation_sees_the_centre() -> None:
    image = noise(count=1, height=6, width=9)[0]
    results = augmented(image.expand(300, -1, -1, -1), crop_fraction=2 / 3)
    possible = torch.stack(windows(image, 4, 6))
    matches = (results[:, None] == possible).flatten(2).all(2)
    assert (matches.sum(1) == 1).all()
    assert matches.any(0).all(), "some window is never drawn"
    assert torch.equal(centre_crop(image[None], 2 / 3)[0], image[1:5, 1:7])
    assert torch.equal(centre_crop(image[None], 1.0)[0], image)


def test_a_rotation_of_next_to_nothing_is_next_to_the_identity() -> None:
    result = augmented(noise(), rotation_degrees=1e-4)
    torch.testing.assert_close(result, noise().float(), rtol=0, atol=0.1)


@pytest.mark.parametrize(
    ("knobs", "digest"),
    [
        (SHIFTS, "80e557c1a0da2399bd2db236eac7c9a1"),
        ({**SHIFTS, "crop_fraction": 0.75}, "e2b691f3994f85e2e6b57b9975d233ab"),
        ({"crop_fraction": 0.75}, "6abb822c16fed4431e32bf393a646584"),
        ({"vertical_flip": 0.3}, "21e76c815954cbc646bdb8e61e88aae4"),
    ],
    ids=str,
)
def test_crops_and_flips_are_those_of_older_rows_to_the_bit(
    knobs: dict[str, float], digest: str
) -> None:
    generator = torch.Generator().manual_seed(5)
    result = augment(noise(), parse(knobs), generator)
    assert hashlib.sha256(result.numpy().tobytes()).hexdigest()[:32] == digest
    assert next_draw(generator) == 408684  # as many draws as there were


@pytest.mark.parametrize(
    ("knobs", "draw", "pixels"),
    [
        (
            AFFINE,
            419879,
            """
            0.000 11.025 110.966 170.330   21.766 69.725 115.964 142.710
            143.619 179.273 211.603 227.289   101.965 188.550 184.548 162.040
            0.000 33.852 153.834 138.324   0.000 99.432 154.775 241.160
            0.000 88.027 46.630 27.252   0.000 0.000 0.000 0.000""",
        ),
        (
            {**SHIFTS, **AFFINE, "crop_fraction": 0.75},
            256527,
            """
            0.000 3.227 107.311   0.000 15.259 170.008   0.000 0.000 0.000
            160.347 85.728 178.086   180.579 114.249 126.520   137.089 168.457 116.463""",
        ),
    ],
    ids=["affine", "everything"],
)
def test_affine_maps_are_those_of_older_rows(
    knobs: dict[str, float], draw: int, pixels: str
) -> None:
    """Not to the bit, since torch rounds sines otherwise on processors with other instructions."""
    generator = torch.Generator().manual_seed(5)
    result = augment(noise(2, 4, 4, 1), parse(knobs), generator)
    expected = torch.tensor([float(pixel) for pixel in pixels.split()])
    torch.testing.assert_close(result.flatten(), expected, rtol=0, atol=1e-3)
    assert next_draw(generator) == draw
