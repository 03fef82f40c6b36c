"""One image: from what a file holds to an array of pixels."""

from __future__ import annotations

import warnings
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from trainables.datasets.image_data import Pixels

if TYPE_CHECKING:
    from PIL.Image import Image

Encoded = Path | bytes  # an image file, or what one holds

MAX_PIXELS = 50_000_000
# Only these decoders of Pillow ever see the data; some of the others start programs.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
SUFFIXES = frozenset(
    (".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
)


class Opened(NamedTuple):
    """Holds an image upright in 8 bits, mode L (grey) or RGB.

    Attributes:
        image: The image.
        mode: The mode that its file has, by Pillow's name (`P`, `RGBA`, `I;16`).
        grey_bits: How many bits the grey values of a 16-bit file use, 8, 12 or 16; `None` for a
            file of 8 bits.
    """

    image: Image
    mode: str
    grey_bits: int | None = None


def decode_image(
    data: bytes, *, image_size: int | tuple[int, int] | None, num_channels: int
) -> Pixels:
    """Decode an image to pixels, H x W x C; the same way for training and for predicting.

    The orientation that EXIF gives is applied; transparency is laid on white; 16 bits of grey
    become 8, as do 12 or 8 bits in a file of 16 (its largest value tells); of several frames the
    first is taken; grey becomes colour, or colour grey, as `num_channels` (1 or 3) asks.
    `image_size`, P or (H, W), resizes straight to it with an antialiased bilinear filter: the
    aspect ratio is not kept.

    Raises ValueError with the reason where `data` is no image, is damaged, or has more than
    50 megapixels.
    """
    return to_pixels(open_image(data).image, image_size=image_size, num_channels=num_channels)


def open_image(data: bytes) -> Opened:
    """Open an image upright in 8 bits; raises `ValueError` if it cannot."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    if not data:
        raise ValueError("empty: it holds no image")
    too_large = f"more than {MAX_PIXELS // 1_000_000} megapixels"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Pillow warns of is either harmless or refused here
        try:
            image: Image.Image = Image.open(BytesIO(data), formats=FORMATS)
            if image.width * image.height > MAX_PIXELS:
                raise ValueError(f"{too_large}: {image.width:,} x {image.height:,}")  # noqa: TRY301
            ImageOps.exif_transpose(image, in_place=True)
            return _flatten(image)
        except UnidentifiedImageError:
            reason = f"not an image in a format that is read ({', '.join(FORMATS)})"
            raise ValueError(reason) from None
        except Image.DecompressionBombError:
            raise ValueError(too_large) from None
        except Exception as error:  # damaged data makes Pillow raise almost any type
            raise ValueError(str(error) or type(error).__name__) from error


def to_pixels(
    image: Image, *, image_size: int | tuple[int, int] | None, num_channels: int
) -> Pixels:
    """Convert an opened image to pixels, H x W x C, resized as `decode_image` says."""
    from PIL.Image import Resampling

    image = _convert(image, "L" if num_channels == 1 else "RGB")
    if image_size is not None:
        height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
        image = image.resize((width, height), Resampling.BILINEAR)
    return np.array(image).reshape(image.height, image.width, num_channels)


def _flatten(image: Image) -> Opened:
    """Convert to L or RGB, without transparency."""
    from PIL import Image

    if image.mode.startswith("I"):
        return _eight_bits(image)
    if image.mode == "F":
        raise ValueError("pixels are floating-point numbers, but must be 8 or 16 bits")
    stored, mode = image.mode, "L" if image.mode in ("1", "L", "LA") else "RGB"
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return Opened(_convert(image, mode), stored)


def _convert(image: Image, mode: str) -> Image:
    """Convert, without the copy that Pillow makes where there is nothing to do."""
    return image if image.mode == mode else image.convert(mode)


def _eight_bits(image: Image) -> Opened:
    """Scale grey to 8 bits by the range that it uses: Pillow's own conversion would clip it.

    Scanners and X-ray detectors store 12 bits in files of 16, which would be nearly black. Only
    these depths are told apart, so that a dark image is not made as bright as a light one.
    """
    from PIL import Image

    values_HW = np.clip(np.asarray(image).astype(np.int64), 0, 65_535)
    brightest = values_HW.max()
    bits = next((bits for bits in (8, 12) if 0 < brightest < 2**bits), 16)
    top = 2**bits - 1
    scaled_HW = ((values_HW * 255 + top // 2) // top).astype(np.uint8)
    return Opened(Image.fromarray(scaled_HW), image.mode, bits)
