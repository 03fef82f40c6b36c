"""Crop, flip and warp whole batches of images (NHWC), with one random draw per image."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def centre_crop(images_NHWC: Tensor, crop_fraction: float) -> Tensor:
    """Cut out the middle of each image, as evaluation sees it; the result is a view."""
    height, width = images_NHWC.shape[1:3]
    kept_height, kept_width = cropped_size((height, width), crop_fraction)
    top, left = (height - kept_height) // 2, (width - kept_width) // 2
    return images_NHWC[:, top : top + kept_height, left : left + kept_width]


def cropped_size(image_size: tuple[int, int], crop_fraction: float) -> tuple[int, int]:
    """Return the (H, W) that is left of an image, at least one pixel a side."""
    height, width = image_size
    return max(1, round(height * crop_fraction)), max(1, round(width * crop_fraction))


def resize(images_NHWC: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize each image to (H, W), bilinearly and antialiased; return float32, NHWC, in the range
    of the pixels, and images of that size as they are."""
    if images_NHWC.shape[1:3] == size:
        return images_NHWC
    images_NCHW = images_NHWC.permute(0, 3, 1, 2).to(torch.float32)
    resized = F.interpolate(images_NCHW, size, mode="bilinear", antialias=True)
    return resized.permute(0, 2, 3, 1)


def crop_and_flip(
    images_NHWC: Tensor,
    generator: torch.Generator,
    *,
    horizontal_flip: float,
    vertical_flip: float,
    crop_padding: float,
    crop_fraction: float,
) -> Tensor:
    """Cut a window of `crop_fraction` of each side from each image and mirror it, by one gather.

    Pixels from outside the image are 0.

    Args:
        horizontal_flip, vertical_flip: The probabilities.
        crop_padding: The share of the shorter side by which zeros pad each side.
    """
    n, height, width, channels = images_NHWC.shape
    padding = round(crop_padding * min(height, width))
    size = cropped_size((height, width), crop_fraction)
    flips = horizontal_flip or vertical_flip
    if not (padding or flips or size != (height, width)):
        return images_NHWC
    device = images_NHWC.device
    room = [2 * padding + whole - kept for whole, kept in zip((height, width), size, strict=True)]
    rows = _positions(n, size[0], room[0], vertical_flip, device, generator)
    columns = _positions(n, size[1], room[1], horizontal_flip, device, generator)
    padded = F.pad(images_NHWC, (0, 0, padding, padding, padding, padding))
    first_row = torch.arange(n, device=device)[:, None] * padded.shape[1]
    # Flat indices of all pixels: one gather for the batch, in place of a loop over its images.
    pixels = (first_row + rows)[:, :, None] * padded.shape[2] + columns[:, None, :]
    taken = padded.view(-1, channels).index_select(0, pixels.flatten())
    return taken.view(n, *size, channels)


def affine(
    images_NHWC: Tensor,
    generator: torch.Generator,
    *,
    rotation_degrees: float,
    shear_degrees: float,
    zoom: float,
    translation: float,
) -> Tensor:
    """Sample each image bilinearly through its own affine map; return float32, NHWC.

    Pixels from outside the image are 0. Each amount is drawn uniformly from [-x, x]; a zoom is a
    fraction of the size, a translation a fraction of the side.
    """
    if not any((rotation_degrees, shear_degrees, zoom, translation)):
        return images_NHWC
    n, height, width, _ = images_NHWC.shape

    def draw(strength: float) -> Tensor:
        uniform = torch.rand(n, device=images_NHWC.device, generator=generator)
        return (2 * uniform - 1) * strength

    angle = draw(math.radians(rotation_degrees))
    shear = torch.tan(draw(math.radians(shear_degrees)))
    scale = 1 / (1 + draw(zoom))
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    aspect = height / width
    first_row = [cos, (shear * cos - sin) * aspect, draw(2 * translation)]
    second_row = [sin / aspect, shear * sin + cos, draw(2 * translation)]
    map_N23 = torch.stack(first_row + second_row, dim=1).view(n, 2, 3)
    return warp(images_NHWC, map_N23, mode="bilinear")


def warp(images_NHWC: Tensor, map_N23: Tensor, *, mode: str) -> Tensor:
    """Sample each image through its own affine map; return float32, NHWC.

    Pixels from outside the image are 0. The places are those of torch's `affine_grid`, which takes
    a matrix product for each image, and longer than the sampling.

    Args:
        map_N23: Leads from positions in the output to positions in the input, both in [-1, 1].
        mode: Of `torch.nn.functional.grid_sample`.
    """
    across_N211, down_N211, shift_N211 = map_N23[..., None, None].unbind(dim=2)
    rows_H, columns_W = (_centres(side, map_N23.device) for side in images_NHWC.shape[1:3])
    places_N2HW = across_N211 * columns_W + down_N211 * rows_H[:, None] + shift_N211
    images_NCHW = images_NHWC.permute(0, 3, 1, 2).to(torch.float32)
    places_NHW2 = places_N2HW.permute(0, 2, 3, 1)
    sampled = F.grid_sample(images_NCHW, places_NHW2, mode=mode, align_corners=False)
    return sampled.permute(0, 2, 3, 1)


def _centres(side: int, device: torch.device) -> Tensor:
    """Return where the centres of a side's pixels lie, if the side is [-1, 1]."""
    return torch.linspace(-1, 1, side, device=device) * (side - 1) / side


def _positions(
    n: int, size: int, room: int, flip: float, device: torch.device, generator: torch.Generator
) -> Tensor:
    """Draw which `size` rows (or columns) to take of each of `n` images; return their indices.

    The rows begin at one of the first `room` + 1, and are reversed with probability `flip`.
    """
    offset = torch.randint(room + 1, (n, 1), device=device, generator=generator)
    flipped = torch.rand((n, 1), device=device, generator=generator) < flip
    line = torch.arange(size, device=device)
    return offset + torch.where(flipped, size - 1 - line, line)
