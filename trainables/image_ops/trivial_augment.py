"""Change each image by one operation at one strength, both drawn from all that there are.

TrivialAugment (Müller and Hutter 2021, https://arxiv.org/abs/2103.10158), in its wide space, with
torchvision's operations. Images that drew the same operation are changed together, each by its own
strength: a batch takes at most 14 steps, whatever its size.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from trainables.image_ops.colour import (
    adjust_brightness,
    adjust_contrast,
    adjust_saturation,
    blend,
    per_image,
)
from trainables.image_ops.geometry import warp

STRONGEST = 30
"""Strengths are whole numbers from 0 to this; where an operation has two directions, signed."""

MOVED_PIXELS = 32
"""The farthest move; of images that are smaller, their side."""

TURNED_DEGREES = 135.0

Operation = Callable[[Tensor, Tensor], Tensor]
"""Changes uint8 images, NHWC, by int64 strengths, N, of which half are negative; returns pixels in
[0, 255], uint8 or float."""


def trivial_augment(
    images_NHWC: Tensor, generator: torch.Generator, *, probability: float
) -> Tensor:
    """Change images by an operation each; return uint8, NHWC.

    Args:
        probability: How often an image is changed at all; 1 in the paper, whose operations include
            doing nothing.
    """
    if not probability:
        return images_NHWC
    n, device = len(images_NHWC), images_NHWC.device
    operation_N = torch.randint(len(OPERATIONS), (n,), device=device, generator=generator)
    strength_N = torch.randint(STRONGEST + 1, (n,), device=device, generator=generator)
    negative_N = torch.rand(n, device=device, generator=generator) < 0.5
    changed_N = torch.rand(n, device=device, generator=generator) < probability
    operation_N = torch.where(changed_N, operation_N, 0)
    strength_N = torch.where(negative_N, -strength_N, strength_N)

    order_N = operation_N.argsort(stable=True)
    ends = torch.bincount(operation_N, minlength=len(OPERATIONS)).cumsum(0)[:-1].tolist()
    groups = zip(
        OPERATIONS.values(),
        to_uint8(images_NHWC[order_N]).tensor_split(ends),
        strength_N[order_N].tensor_split(ends),
        strict=True,
    )
    changed = torch.cat(
        [to_uint8(apply(images, by)) for apply, images, by in groups if len(images)]
    )
    return torch.empty_like(changed).index_copy_(0, order_N, changed)


def to_uint8(images_NHWC: Tensor) -> Tensor:
    """Round pixels in [0, 255]."""
    return images_NHWC.round().to(torch.uint8) if images_NHWC.is_floating_point() else images_NHWC


def _identity(images_NHWC: Tensor, _: Tensor) -> Tensor:
    return images_NHWC


def _shear_x(images_NHWC: Tensor, strength_N: Tensor) -> Tensor:
    _, height, width, _ = images_NHWC.shape
    shear = 0.99 * strength_N / STRONGEST * height / width  # the first row stays where it is
    return _warp(images_NHWC, (1.0, shear, shear), (0.0, 1.0, 0.0))


def _shear_y(images_NHWC: Tensor, strength_N: Tensor) -> Tensor:
    _, height, width, _ = images_NHWC.shape
    shear = 0.99 * strength_N / STRONGEST * width / height
    return _warp(images_NHWC, (1.0, 0.0, 0.0), (shear, 1.0, shear))


def _translate_x(images_NHWC: Tensor, strength_N: Tensor) -> Tensor:
    move = -2 * _pixels(strength_N, images_NHWC.shape[2]) / images_NHWC.shape[2]
    return _warp(images_NHWC, (1.0, 0.0, move), (0.0, 1.0, 0.0))


def _translate_y(images_NHWC: Tensor, strength_N: Tensor) -> Tensor:
    move = -2 * _pixels(strength_N, images_NHWC.shape[1]) / images_NHWC.shape[1]
    return _warp(images_NHWC, (1.0, 0.0, 0.0), (0.0, 1.0, move))


def _rotate(images_NHWC: Tensor, strength_N: Tensor) -> Tensor:
    _, height, width, _ = images_NHWC.shape
    angle = math.radians(TURNED_DEGREES) * strength_N / STRONGEST
    cos, sin, aspect = torch.cos(angle), torch.sin(angle), height / width
    return _warp(images_NHWC, (cos, -sin * aspect, 0.0), (sin / aspect, cos, 0.0))


def _pixels(strength_N: Tensor, side: int) -> Tensor:
    return torch.div(strength_N * min(MOVED_PIXELS, side), STRONGEST, rounding_mode="trunc")


def _warp(
    images_NHWC: Tensor, *rows: tuple[Tensor | float, Tensor | float, Tensor | float]
) -> Tensor:
    """Take each pixel from the nearest one to where an affine map leads; from outside, 0.

    Args:
        rows: The map's two rows, from positions in the output to such in the input, in [-1, 1].
    """
    n = len(images_NHWC)
    device = images_NHWC.device
    entries = [
        entry if isinstance(entry, Tensor) else torch.full((n,), entry, device=device)
        for row in rows
        for entry in row
    ]
    map_N23 = torch.stack(entries, dim=1).view(n, 2, 3)
    return warp(images_NHWC, map_N23, mode="nearest")


def _by_factor(adjust: Operation) -> Operation:
    """Turn a function of factors, where 1 changes nothing, into one of strengths."""
    return lambda images_NHWC, strength_N: adjust(images_NHWC, 1 + 0.99 * strength_N / STRONGEST)


def _adjust_sharpness(images_NHWC: Tensor, factor_N: Tensor) -> Tensor:
    from torchvision.transforms.v2.functional import adjust_sharpness

    blurred = adjust_sharpness(images_NHWC.permute(0, 3, 1, 2), 0.0).permute(0, 2, 3, 1)
    return blend(blurred, images_NHWC, factor_N)


def _posterize(images_NHWC: Tensor, strength_N: Tensor) -> Tensor:
    dropped_bits = (6 * strength_N.abs() / STRONGEST).round()
    return images_NHWC & per_image(256 - 2**dropped_bits).to(torch.uint8)


def _solarize(images_NHWC: Tensor, strength_N: Tensor) -> Tensor:
    threshold = 255 * (STRONGEST - strength_N.abs()) / STRONGEST
    return torch.where(images_NHWC >= per_image(threshold), 255 - images_NHWC, images_NHWC)


def _autocontrast(images_NHWC: Tensor, _: Tensor) -> Tensor:
    from torchvision.transforms.v2.functional import autocontrast

    changed: Tensor = autocontrast(images_NHWC.permute(0, 3, 1, 2))
    return changed.permute(0, 2, 3, 1)


def _equalize(images_NHWC: Tensor, _: Tensor) -> Tensor:
    from torchvision.transforms.v2.functional import equalize

    changed: Tensor = equalize(images_NHWC.permute(0, 3, 1, 2))
    return changed.permute(0, 2, 3, 1)


OPERATIONS: dict[str, Operation] = {
    "Identity": _identity,
    "ShearX": _shear_x,
    "ShearY": _shear_y,
    "TranslateX": _translate_x,
    "TranslateY": _translate_y,
    "Rotate": _rotate,
    "Brightness": _by_factor(adjust_brightness),
    "Color": _by_factor(adjust_saturation),
    "Contrast": _by_factor(adjust_contrast),
    "Sharpness": _by_factor(_adjust_sharpness),
    "Posterize": _posterize,
    "Solarize": _solarize,
    "AutoContrast": _autocontrast,
    "Equalize": _equalize,
}
"""The operations by torchvision's names; the first one does nothing."""
