"""Pixels are scaled and centred per channel, by the train split's own figures or by given ones."""

import json
import math
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from statistics import fmean

import numpy as np
import torch
from torch import Tensor

from trainables.config.validation import from_json, to_json
from trainables.datasets import ImageData
from trainables.storage import LocalStorage

PART_BYTES = 2**24
"""How many bytes of pixels are counted at once; counting takes eight times as many."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Normalisation:
    """Takes pixels x, scaled to [0, 1], to `(x - mean) / std`, per channel."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __call__(self, images_NHWC: Tensor, memory_format: torch.memory_format) -> Tensor:
        """Normalise uint8 or float pixels in [0, 255], NHWC -> float32, NCHW."""
        mean, scale = torch.tensor(self.mean) * 255, 1 / (torch.tensor(self.std) * 255)
        # As large as an image, and laid out as these are: torch goes through channels of few values
        # many times more slowly. A blocking transfer would wait for all that a GPU has yet to do.
        image_1HWC = torch.zeros_like(images_NHWC[:1], dtype=torch.float32)
        shift, scale = (
            image_1HWC + values_C.to(images_NHWC.device, non_blocking=True)
            for values_C in (-mean * scale, scale)
        )
        scaled = torch.addcmul(shift, images_NHWC.to(torch.float32), scale)
        return scaled.permute(0, 3, 1, 2).contiguous(memory_format=memory_format)


def train_normalisation(data: ImageData) -> Normalisation:
    """Find the train split's exact mean and standard deviation per channel.

    They are kept beside the decoded images, since all of these have to be read for them.
    """
    if data.decoded is None:
        return _compute(data)
    place = LocalStorage(data.decoded)
    of = f"{data.fingerprint} {data.split_fingerprint}"
    name = f"normalisation-{sha256(of.encode()).hexdigest()}.json"
    with suppress(FileNotFoundError, ValueError):  # ValueError: it is damaged, and made again
        return from_json(Normalisation, json.loads(place.read(name)))
    found = _compute(data)
    with suppress(OSError):  # it is only slower where nothing can be kept
        place.write(name, json.dumps(to_json(found)).encode())
    return found


def _compute(data: ImageData) -> Normalisation:
    """Compute it by a histogram, part by part: the images may be larger than memory."""
    histograms_CL = np.zeros((data.num_channels, 256), dtype=np.int64)
    num_parts = math.ceil(len(data.train_indices) * data.images_NHWC[0].nbytes / PART_BYTES)
    for part in np.array_split(data.train_indices, num_parts):
        images_NHWC = data.images_NHWC[part]
        for channel, histogram in enumerate(histograms_CL):
            histogram += np.bincount(images_NHWC[..., channel].ravel(), minlength=256)
    levels = np.arange(256) / 255
    mean, std = [], []
    for histogram in histograms_CL:
        weight = histogram / histogram.sum()
        mean.append(float(weight @ levels))
        std.append(max(float(weight @ (levels - mean[-1]) ** 2) ** 0.5, 1 / 255))
    return Normalisation(mean=tuple(mean), std=tuple(std))


NORMALISATIONS = {
    "imagenet": Normalisation(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
    "half": Normalisation(mean=(0.5,), std=(0.5,)),
    "unit": Normalisation(mean=(0.0,), std=(1.0,)),
}
"""Normalisations that do not depend on the data, by name; torchvision's ImageNet weights were
trained with `imagenet` (https://docs.pytorch.org/vision/stable/models.html)."""


def build_normalisation(
    name: str,
    train: Normalisation,
    *,
    weights: Normalisation | None,
    num_channels: int,
    in_channels: int,
) -> Normalisation:
    """Build the normalisation that `name` asks for, with as many channels as the network takes.

    It repeats grey images that go to a network for colour ones.

    Args:
        name: `train`, `weights`, or one of `NORMALISATIONS`.
        train: The normalisation of the train split.
        weights: What the weights to start from were trained with; `None`, where that is not known
            or there are none, stands for `train`.
        num_channels: How many channels the images have, 1 or 3.
        in_channels: How many the network takes: as many, or 3 for grey images.
    """
    chosen = {"train": train, "weights": weights or train, **NORMALISATIONS}[name]
    if len(chosen.mean) == in_channels:
        return chosen
    if len(chosen.mean) == 3 and num_channels == in_channels == 1:
        return Normalisation(mean=(fmean(chosen.mean),), std=(fmean(chosen.std),))
    return Normalisation(mean=chosen.mean * in_channels, std=chosen.std * in_channels)
