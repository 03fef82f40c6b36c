"""Augmentation and normalisation of a whole batch, with one random draw per image."""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from trainables.config import TrialConfig
from trainables.datasets import ImageData


@dataclass(frozen=True, kw_only=True, slots=True)
class Normalisation:
    """Per channel, of pixels scaled to [0, 1]: `(x - mean) / std`."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __call__(self, images_NHWC: Tensor, memory_format: torch.memory_format) -> Tensor:
        """uint8 or float pixels in [0, 255], NHWC -> normalised float32, NCHW."""
        mean = torch.tensor(self.mean, device=images_NHWC.device) * 255
        scale = 1 / (torch.tensor(self.std, device=images_NHWC.device) * 255)
        scaled = torch.addcmul(-mean * scale, images_NHWC.to(torch.float32), scale)
        return scaled.permute(0, 3, 1, 2).contiguous(memory_format=memory_format)


def train_normalisation(data: ImageData) -> Normalisation:
    """The train split's mean and standard deviation per channel, exact, from its histogram."""
    levels = np.arange(256) / 255
    mean, std = [], []
    for channel in range(data.num_channels):
        histogram = np.zeros(256, dtype=np.int64)
        for chunk in np.array_split(data.train_indices, max(1, len(data.train_indices) // 4096)):
            pixels = data.images_NHWC[chunk, :, :, channel]
            histogram += np.bincount(pixels.ravel(), minlength=256)
        weight = histogram / histogram.sum()
        mean.append(float(weight @ levels))
        std.append(max(float(weight @ (levels - mean[-1]) ** 2) ** 0.5, 1 / 255))
    return Normalisation(mean=tuple(mean), std=tuple(std))


def augment(images_NHWC: Tensor, config: TrialConfig, generator: torch.Generator) -> Tensor:
    """Crop, flip and rotate each image by its own draw; shape and pixel range stay, NHWC.

    Crops and flips move whole pixels, so uint8 stays uint8; a rotation interpolates bilinearly
    and returns float32. What comes in from outside the image is 0.
    """
    images_NHWC = _crop_and_flip(images_NHWC, config, generator)
    if config.rotation_degrees > 0:
        return _rotate(images_NHWC, config.rotation_degrees, generator)
    return images_NHWC


def _crop_and_flip(images_NHWC: Tensor, config: TrialConfig, generator: torch.Generator) -> Tensor:
    n, height, width, channels = images_NHWC.shape
    padding = round(config.crop_padding * min(height, width))
    if not (padding or config.horizontal_flip or config.vertical_flip):
        return images_NHWC
    rows = _positions(n, height, padding, config.vertical_flip, images_NHWC.device, generator)
    columns = _positions(n, width, padding, config.horizontal_flip, images_NHWC.device, generator)
    padded = F.pad(images_NHWC, (0, 0, padding, padding, padding, padding))
    first_row = torch.arange(n, device=images_NHWC.device)[:, None] * padded.shape[1]
    pixels = (first_row + rows)[:, :, None] * padded.shape[2] + columns[:, None, :]
    taken = padded.view(-1, channels).index_select(0, pixels.flatten())
    return taken.view(n, height, width, channels)


def _positions(
    n: int, size: int, padding: int, flip: float, device: torch.device, generator: torch.Generator
) -> Tensor:
    """For each of `n` images, the rows (or columns) of the padded image to take, in order."""
    offset = torch.randint(2 * padding + 1, (n, 1), device=device, generator=generator)
    flipped = torch.rand((n, 1), device=device, generator=generator) < flip
    line = torch.arange(size, device=device)
    return offset + torch.where(flipped, size - 1 - line, line)


def _rotate(images_NHWC: Tensor, degrees: float, generator: torch.Generator) -> Tensor:
    n, height, width, _ = images_NHWC.shape
    draw = torch.rand(n, device=images_NHWC.device, generator=generator)
    angle = (2 * draw - 1) * math.radians(degrees)
    cos, sin, zero = torch.cos(angle), torch.sin(angle), torch.zeros_like(angle)
    aspect = height / width
    turn = torch.stack([cos, -sin * aspect, zero, sin / aspect, cos, zero], dim=1).view(n, 2, 3)
    images_NCHW = images_NHWC.permute(0, 3, 1, 2).to(torch.float32)
    grid = F.affine_grid(turn, list(images_NCHW.shape), align_corners=False)
    turned = F.grid_sample(images_NCHW, grid, mode="bilinear", align_corners=False)
    return turned.permute(0, 2, 3, 1)
