"""Change the colours of whole batches of images (NHWC, pixels in [0, 255]), each by its own amount.

Images of one channel have no saturation and no hue: these operations return them as they are.
"""

import torch
from torch import Tensor

LUMA = (0.2989, 0.587, 0.114)
"""The shares of red, green and blue in grey (ITU-R BT.601), as torchvision and Pillow take them."""


def colour_jitter(
    images_NHWC: Tensor,
    generator: torch.Generator,
    *,
    brightness: float,
    contrast: float,
    saturation: float,
    hue: float,
) -> Tensor:
    """Change brightness, contrast, saturation and hue, in this order; return float32, NHWC.

    The first three are factors, drawn uniformly from [1 - x, 1 + x]. The hue is turned by a share
    of the circle drawn from [-x, x]. What is 0 is neither changed nor drawn.
    """
    if not any((brightness, contrast, saturation, hue)):
        return images_NHWC

    def draw(strength: float) -> Tensor:
        device = images_NHWC.device
        uniform = torch.rand(len(images_NHWC), device=device, generator=generator)
        return (2 * uniform - 1) * strength

    images_NHWC = images_NHWC.to(torch.float32)
    if brightness:
        images_NHWC = adjust_brightness(images_NHWC, 1 + draw(brightness))
    if contrast:
        images_NHWC = adjust_contrast(images_NHWC, 1 + draw(contrast))
    if saturation:
        images_NHWC = adjust_saturation(images_NHWC, 1 + draw(saturation))
    if hue:
        images_NHWC = adjust_hue(images_NHWC, draw(hue))
    return images_NHWC


def adjust_brightness(images_NHWC: Tensor, factor_N: Tensor) -> Tensor:
    """Multiply the pixels, up to 255; return float32."""
    return (images_NHWC * per_image(factor_N)).clamp(0, 255)


def adjust_contrast(images_NHWC: Tensor, factor_N: Tensor) -> Tensor:
    """Multiply each pixel's difference to the mean grey of its image; return float32."""
    return blend(grey(images_NHWC).mean((1, 2, 3), keepdim=True), images_NHWC, factor_N)


def adjust_saturation(images_NHWC: Tensor, factor_N: Tensor) -> Tensor:
    """Multiply each pixel's difference to its own grey; return float32."""
    if images_NHWC.shape[3] == 1:
        return images_NHWC.to(torch.float32)
    return blend(grey(images_NHWC), images_NHWC, factor_N)


def adjust_hue(images_NHWC: Tensor, turn_N: Tensor) -> Tensor:
    """Turn the hue by a share of the circle, in HSV; return float32.

    Value and chroma stay: `maximum - chroma * ...` is the usual closed form of HSV to RGB.
    """
    images_NHWC = images_NHWC.to(torch.float32)
    if images_NHWC.shape[3] == 1:
        return images_NHWC
    red, green, blue = images_NHWC.unbind(3)
    maximum = images_NHWC.amax(3)
    chroma = maximum - images_NHWC.amin(3)
    scale = 1 / chroma.clamp(min=1e-6)  # of grey pixels, which have no hue, any is right
    sixths = torch.where(maximum == green, 2 + (blue - red) * scale, 4 + (red - green) * scale)
    sixths = torch.where(maximum == red, (green - blue) * scale, sixths)
    sixths = sixths + 6 * turn_N[:, None, None]
    channels = torch.arange(5, 0, -2, device=images_NHWC.device)  # of red, green and blue
    position = torch.remainder(sixths[..., None] + channels, 6)
    share = torch.minimum(position, 4 - position).clamp(0, 1)
    return maximum[..., None] - chroma[..., None] * share


def grey(images_NHWC: Tensor) -> Tensor:
    """Average the channels as the eye weighs them; return float32, NHW1."""
    images_NHWC = images_NHWC.to(torch.float32)
    if images_NHWC.shape[3] == 1:
        return images_NHWC
    weighted = [share * channel for share, channel in zip(LUMA, images_NHWC.unbind(3), strict=True)]
    return sum(weighted[1:], weighted[0])[..., None]


def blend(zero_NHWC: Tensor, images_NHWC: Tensor, factor_N: Tensor) -> Tensor:
    """Return `zero_NHWC` at factor 0, the images at 1, and what lies beyond above it; float32."""
    zero_NHWC = zero_NHWC.to(torch.float32)
    return (zero_NHWC + (images_NHWC - zero_NHWC) * per_image(factor_N)).clamp(0, 255)


def per_image(value_N: Tensor) -> Tensor:
    """Shape a value of each image to be broadcast over its pixels and channels: N -> N111."""
    return value_N[:, None, None, None]
