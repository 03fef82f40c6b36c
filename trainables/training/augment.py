"""Training batches are augmented whole, step by step."""

import torch
from torch import Tensor

from trainables.config import TrialConfig


def augment(images_NHWC: Tensor, config: TrialConfig, generator: torch.Generator) -> Tensor:
    """Change each image by its own draw, step by step; NHWC, the range of the pixels stays.

    Sides shrink to `crop_fraction` of what they are. Steps that move whole pixels keep uint8;
    those that interpolate return float32.
    """
    for step in config.augmentations:
        images_NHWC = step.apply(images_NHWC, generator, config.crop_fraction)
    return images_NHWC
