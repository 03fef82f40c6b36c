"""Training batches are augmented whole, step by step."""

import torch
from torch import Tensor

from trainables.config import TrialConfig
from trainables.image_ops.mixing import mix


def augment(images_NHWC: Tensor, config: TrialConfig, generator: torch.Generator) -> Tensor:
    """Change each image by its own draw, step by step; NHWC, the range of the pixels stays.

    Sides shrink to `crop_fraction` of what they are. Steps that move whole pixels keep uint8;
    those that interpolate return float32.
    """
    for step in config.augmentations:
        images_NHWC = step.apply(images_NHWC, generator, config.crop_fraction)
    return images_NHWC


def mixed(
    images_NCHW: Tensor,
    labels_N: Tensor,
    config: TrialConfig,
    generator: torch.Generator,
    num_classes: int,
) -> tuple[Tensor, Tensor]:
    """Mix the images of a batch and their labels, where the configuration says so.

    Returns:
        The batch, and what the loss is taken against: the labels as they are, or float32 shares
        of the classes, NK.
    """
    if not config.mixes:
        return images_NCHW, labels_N
    return mix(
        images_NCHW,
        labels_N,
        generator,
        num_classes=num_classes,
        mixup_alpha=config.mixup_alpha,
        cutmix_alpha=config.cutmix_alpha,
    )
