"""Colour jitter, against torchvision's on single images."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as theirs

from trainables.image_ops import colour

FACTORS = [0.0, 0.3, 0.9, 1.0, 1.1, 1.7, 2.0]
TURNS = [-0.5, -0.3, -0.1, 0.0, 0.1, 0.25, 0.5]


def noise(count: int, channels: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = (count, 9, 12, channels)
    images_NHWC = torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
    images_NHWC[:, :2] = 77  # grey pixels have no hue
    images_NHWC[:, 2, :, 0] = images_NHWC[:, 2].amax(-1)  # two channels may both be the largest
    return images_NHWC


def expected(function: Callable[..., Any], image_HWC: Tensor, amount: float) -> Tensor:
    image_CHW = image_HWC.permute(2, 0, 1).float() / 255
    changed: Tensor = function(image_CHW, amount)
    return changed.permute(1, 2, 0) * 255


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("ours", "reference", "amounts"),
    [
        (colour.adjust_brightness, theirs.adjust_brightness, FACTORS),
        (colour.adjust_contrast, theirs.adjust_contrast, FACTORS),
        (colour.adjust_saturation, theirs.adjust_saturation, FACTORS),
        (colour.adjust_hue, theirs.adjust_hue, TURNS),
    ],
    ids=["brightness", "contrast", "saturation", "hue"],
)
def test_it_is_torchvisions(
    channels: int,
    ours: Callable[[Tensor, Tensor], Tensor],
    reference: Callable[..., Any],
    amounts: list[float],
) -> None:
    images_NHWC = noise(len(amounts), channels)
    results = ours(images_NHWC, torch.tensor(amounts))
    for image, amount, result in zip(images_NHWC, amounts, results, strict=True):
        wanted = expected(reference, image, amount)
        torch.testing.assert_close(result, wanted, rtol=0, atol=0.01)


def test_the_amounts_are_drawn_from_their_ranges() -> None:
    images_NHWC = torch.full((2000, 1, 1, 1), 100, dtype=torch.uint8)
    knobs = {"contrast": 0.0, "saturation": 0.0, "hue": 0.0}
    generator = torch.Generator().manual_seed(0)
    made = colour.colour_jitter(images_NHWC, generator, brightness=0.3, **knobs).flatten()
    assert 70 <= made.min() < 71
    assert 129 < made.max() <= 130
    assert made.mean().item() == pytest.approx(100, abs=1)
