"""Rectangles within images: those that are erased, and those that cutmix takes."""

import pytest
import torch
from torch import Tensor

from trainables.image_ops.boxes import AREA, ASPECT, cutmix_boxes, random_erasing


def erased(images_NHWC: Tensor, probability: float) -> Tensor:
    return random_erasing(images_NHWC, torch.Generator().manual_seed(0), probability=probability)


def sides(mask_NHW: Tensor) -> tuple[Tensor, Tensor]:
    """Height and width of each rectangle; fails where a mask is none."""
    rows, columns = mask_NHW.any(2), mask_NHW.any(1)
    assert torch.equal(mask_NHW, rows[:, :, None] & columns[:, None, :])
    for line in (rows, columns):
        assert (line.int().diff(dim=1).abs().sum(1) <= 2).all(), "there are gaps"
    return rows.sum(1), columns.sum(1)


def test_a_rectangle_of_each_image_becomes_noise() -> None:
    images_NHWC = torch.full((400, 40, 50, 3), -1.0)  # no pixel, so that noise is known from it
    results = erased(images_NHWC, 1.0)
    changed_NHW = (results != images_NHWC).all(3)
    rows, columns = sides(changed_NHW)
    share = rows * columns / (40 * 50)
    assert AREA[0] * 0.7 < share.min() < 0.04
    assert 0.29 < share.max() < AREA[1] * 1.1
    large = share > 0.1
    aspect = rows[large] / columns[large]
    assert ASPECT[0] * 0.9 < aspect.min() < 0.4
    assert 2.5 < aspect.max() < ASPECT[1] * 1.1
    pixels = results[changed_NHW]
    assert pixels.min() == 0
    assert pixels.max() == 255
    assert pixels.mean().item() == pytest.approx(127.5, abs=1)
    assert changed_NHW.any(0).all(), "some pixel is never erased"


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_type_of_the_pixels_stays(channels: int, dtype: torch.dtype) -> None:
    images_NHWC = torch.zeros((5, 8, 8, channels), dtype=dtype)
    results = erased(images_NHWC, 1.0)
    assert results.dtype == dtype
    assert (results != 0).any()


def test_only_some_are_erased() -> None:
    images_NHWC = torch.full((1000, 8, 8, 1), -1.0)
    changed = (erased(images_NHWC, 0.3) != images_NHWC).flatten(1).any(1)
    assert changed.float().mean().item() == pytest.approx(0.3, abs=0.05)


def test_an_image_of_one_pixel_is_erased_whole() -> None:
    images_NHWC = torch.full((5, 1, 1, 3), -1.0)
    assert (erased(images_NHWC, 1.0) >= 0).all()


def test_the_boxes_of_cutmix_cover_what_they_should_unless_they_are_cut_off() -> None:
    share_N = torch.linspace(0, 1, 500)
    mask_NHW = cutmix_boxes(share_N, 40, 60, torch.Generator().manual_seed(0))
    rows, columns = sides(mask_NHW)
    covered = rows * columns / (40 * 60)
    assert (covered <= share_N + 0.06).all()
    inside = ~(mask_NHW[:, [0, -1]].any((1, 2)) | mask_NHW[:, :, [0, -1]].any((1, 2)))
    assert inside.sum() > 50
    torch.testing.assert_close(covered[inside], share_N[inside], rtol=0, atol=0.04)
    assert mask_NHW[share_N > 0.2].any(0).all(), "some pixel is never covered"
