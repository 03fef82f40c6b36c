"""Augmentation of a whole batch, with one random draw per image."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from trainables.config import TrialConfig


def augment(images_NHWC: Tensor, config: TrialConfig, generator: torch.Generator) -> Tensor:
    """Crop, flip and transform each image by its own draw; the pixel range stays, NHWC.

    Crops and flips move whole pixels, so uint8 stays uint8; an affine transform (rotation, shear,
    zoom, translation) interpolates bilinearly and returns float32. What comes in from outside
    the image is 0. Sides shrink to `crop_fraction` of what they are.
    """
    images_NHWC = _crop_and_flip(images_NHWC, config, generator)
    strengths = (config.rotation_degrees, config.shear_degrees, config.zoom, config.translation)
    return _transform(images_NHWC, config, generator) if any(strengths) else images_NHWC


def centre_crop(images_NHWC: Tensor, crop_fraction: float) -> Tensor:
    """The middle of each image, as evaluation sees it; a view, nothing is copied."""
    height, width = images_NHWC.shape[1:3]
    kept_height, kept_width = cropped_size((height, width), crop_fraction)
    top, left = (height - kept_height) // 2, (width - kept_width) // 2
    return images_NHWC[:, top : top + kept_height, left : left + kept_width]


def cropped_size(image_size: tuple[int, int], crop_fraction: float) -> tuple[int, int]:
    """(H, W) of what is left of an image; at least one pixel a side."""
    height, width = image_size
    return max(1, round(height * crop_fraction)), max(1, round(width * crop_fraction))


def _crop_and_flip(images_NHWC: Tensor, config: TrialConfig, generator: torch.Generator) -> Tensor:
    n, height, width, channels = images_NHWC.shape
    padding = round(config.crop_padding * min(height, width))
    size = cropped_size((height, width), config.crop_fraction)
    flips = config.horizontal_flip or config.vertical_flip
    if not (padding or flips or size != (height, width)):
        return images_NHWC
    device = images_NHWC.device
    room = [2 * padding + whole - kept for whole, kept in zip((height, width), size, strict=True)]
    rows = _positions(n, size[0], room[0], config.vertical_flip, device, generator)
    columns = _positions(n, size[1], room[1], config.horizontal_flip, device, generator)
    padded = F.pad(images_NHWC, (0, 0, padding, padding, padding, padding))
    first_row = torch.arange(n, device=device)[:, None] * padded.shape[1]
    pixels = (first_row + rows)[:, :, None] * padded.shape[2] + columns[:, None, :]
    taken = padded.view(-1, channels).index_select(0, pixels.flatten())
    return taken.view(n, *size, channels)


def _positions(
    n: int, size: int, room: int, flip: float, device: torch.device, generator: torch.Generator
) -> Tensor:
    """For each of `n` images, the `size` rows (or columns) to take, in order, from one of the
    `room` + 1 first ones on."""
    offset = torch.randint(room + 1, (n, 1), device=device, generator=generator)
    flipped = torch.rand((n, 1), device=device, generator=generator) < flip
    line = torch.arange(size, device=device)
    return offset + torch.where(flipped, size - 1 - line, line)


def _transform(images_NHWC: Tensor, config: TrialConfig, generator: torch.Generator) -> Tensor:
    """Sample each image through its own affine map, which takes output to input positions."""
    n, height, width, _ = images_NHWC.shape

    def draw(strength: float) -> Tensor:
        uniform = torch.rand(n, device=images_NHWC.device, generator=generator)
        return (2 * uniform - 1) * strength

    angle = draw(math.radians(config.rotation_degrees))
    shear = torch.tan(draw(math.radians(config.shear_degrees)))
    scale = 1 / (1 + draw(config.zoom))
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    aspect = height / width
    first_row = [cos, (shear * cos - sin) * aspect, draw(2 * config.translation)]
    second_row = [sin / aspect, shear * sin + cos, draw(2 * config.translation)]
    map_N23 = torch.stack(first_row + second_row, dim=1).view(n, 2, 3)
    images_NCHW = images_NHWC.permute(0, 3, 1, 2).to(torch.float32)
    grid = F.affine_grid(map_N23, list(images_NCHW.shape), align_corners=False)
    sampled = F.grid_sample(images_NCHW, grid, mode="bilinear", align_corners=False)
    return sampled.permute(0, 2, 3, 1)
