"""Augmentation and normalisation of a whole batch, with one random draw per image."""

import math
from dataclasses import dataclass
from statistics import fmean

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


NORMALISATIONS = {
    "imagenet": Normalisation(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
    "half": Normalisation(mean=(0.5,), std=(0.5,)),
    "unit": Normalisation(mean=(0.0,), std=(1.0,)),
}
"""Given ones, by name; `imagenet` is what torchvision's ImageNet weights were trained with
(https://docs.pytorch.org/vision/stable/models.html)."""


def build_normalisation(
    name: str, train: Normalisation, *, num_channels: int, in_channels: int
) -> Normalisation:
    """The normalisation that `name` asks for, with as many channels as the network takes.

    Grey images that go to a network for colour ones are repeated by it.

    Args:
        name: `train`, or one of `NORMALISATIONS`.
        train: The train split's own.
        num_channels: Of the images, 1 or 3.
        in_channels: Of the network: the same number, or 3 for grey images.
    """
    chosen = train if name == "train" else NORMALISATIONS[name]
    if len(chosen.mean) == in_channels:
        return chosen
    if len(chosen.mean) == 3 and num_channels == in_channels == 1:
        return Normalisation(mean=(fmean(chosen.mean),), std=(fmean(chosen.std),))
    return Normalisation(mean=chosen.mean * in_channels, std=chosen.std * in_channels)


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
