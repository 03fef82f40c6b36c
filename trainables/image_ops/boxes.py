"""Draw a rectangle within each image of a batch: to erase it, or to fill it from another image."""

import math

import torch
from torch import Tensor

AREA = (0.02, 0.33)
"""The share of an image that is erased; with `ASPECT`, torchvision's ranges."""

ASPECT = (0.3, 3.3)
"""Height to width of what is erased, drawn by its logarithm."""


def random_erasing(
    images_NHWC: Tensor, generator: torch.Generator, *, probability: float
) -> Tensor:
    """Fill a rectangle of an image with noise (Zhong et al. 2017, https://arxiv.org/abs/1708.04896).

    Each pixel is drawn uniformly, which the paper found best. A rectangle that would be longer than
    the image is cut to its side. The images' dtype stays.
    """
    if not probability:
        return images_NHWC
    n, height, width, _ = images_NHWC.shape
    device = images_NHWC.device
    drawn_4N = torch.rand(4, n, device=device, generator=generator)
    area = (AREA[0] + drawn_4N[0] * (AREA[1] - AREA[0])) * height * width
    low, high = math.log(ASPECT[0]), math.log(ASPECT[1])
    aspect = torch.exp(low + drawn_4N[1] * (high - low))
    rows = torch.sqrt(area * aspect).round().clamp(1, height)
    columns = torch.sqrt(area / aspect).round().clamp(1, width)
    top = torch.floor(drawn_4N[2] * (height - rows + 1))
    left = torch.floor(drawn_4N[3] * (width - columns + 1))
    erased = torch.rand(n, device=device, generator=generator) < probability
    inside_NHW = (
        box(top, top + rows, height)[:, :, None] & box(left, left + columns, width)[:, None]
    )
    noise_NHWC = torch.randint(
        256, images_NHWC.shape, device=device, generator=generator, dtype=torch.uint8
    )
    mask_NHW1 = (inside_NHW & erased[:, None, None])[..., None]
    return torch.where(mask_NHW1, noise_NHWC.to(images_NHWC.dtype), images_NHWC)


def cutmix_boxes(share_N: Tensor, height: int, width: int, generator: torch.Generator) -> Tensor:
    """Draw a rectangle for each image that covers `share_N` of it -> a mask, NHW.

    Its centre is drawn over the whole image, and what lies outside is cut off, as in the paper
    (Yun et al. 2019, https://arxiv.org/abs/1905.04899): it may cover less than was asked for.
    """
    centre_2N = torch.rand(2, len(share_N), device=share_N.device, generator=generator)
    half = torch.sqrt(share_N) / 2

    def inside(centre: Tensor, side: int) -> Tensor:
        first, end = (centre - half) * side, (centre + half) * side
        return box(first.round(), end.round(), side)

    return inside(centre_2N[0], height)[:, :, None] & inside(centre_2N[1], width)[:, None]


def box(first_N: Tensor, end_N: Tensor, side: int) -> Tensor:
    """Say which of `side` rows (or columns) lie in [first, end) -> a mask, (N, side)."""
    line = torch.arange(side, device=first_N.device)
    return (line >= first_N[:, None]) & (line < end_N[:, None])
