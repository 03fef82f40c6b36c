"""What images are like before they are decoded: their sizes, and the size to bring them to."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from statistics import median_low
from typing import TYPE_CHECKING

from trainables.datasets.decoding.decode import FORMATS, Encoded
from trainables.datasets.decoding.decode_all import Decoded, Outcome
from trainables.datasets.image_data import Originals
from trainables.progress import progress_bar

if TYPE_CHECKING:
    from PIL.Image import Image

USUAL_SIZES = (32, 64, 96, 128, 224)  # pixels, of published sets and of pretrained networks
ORIENTATION = 0x0112  # EXIF's tag; from 5 to 8 the picture lies on its side

Size = tuple[int, int]  # (H, W)


def describe_originals(sizes: Sequence[Size], modes: Iterable[str] = ()) -> Originals:
    """Sum up the sizes, (H, W), of at least one image, and the modes where they are known."""
    counts = Counter(sizes)
    by_area = sorted(counts, key=lambda size: (size[0] * size[1], size))
    most_frequent = max(by_area, key=lambda size: counts[size])
    return Originals(
        smallest=by_area[0],
        most_frequent=most_frequent,
        largest=by_area[-1],
        num_sizes=len(counts),
        num_most_frequent=counts[most_frequent],
        median_shorter_side=median_low(min(size) for size in sizes),
        modes=dict(Counter(modes).most_common()),
    )


def originals_of(outcomes: Iterable[Outcome]) -> Originals:
    """Sum up the images that were decoded."""
    decoded = [outcome for outcome in outcomes if isinstance(outcome, Decoded)]
    sizes = [(image.height, image.width) for image in decoded]
    return describe_originals(sizes, [image.mode for image in decoded])


def propose_size(originals: Originals) -> int:
    """Choose the usual size next below the median of the shorter sides; else the smallest one."""
    fitting = [size for size in USUAL_SIZES if size <= originals.median_shorter_side]
    return max(fitting, default=USUAL_SIZES[0])


def covering_size(originals: Originals) -> int:
    """Choose the usual size next above the median of the shorter sides; else the largest one.

    Most images lose nothing then, and each network may have them smaller.
    """
    fitting = [size for size in USUAL_SIZES if size >= originals.median_shorter_side]
    return min(fitting, default=USUAL_SIZES[-1])


def read_sizes(encoded: Iterable[Encoded], num_images: int) -> list[Size]:
    """Read the upright sizes, (H, W), from the headers alone; those that have none are left out."""
    sizes = []
    with progress_bar("Reading sizes", num_images) as advance:
        for image in encoded:
            size = _read_size(image)
            if size is not None:
                sizes.append(size)
            advance(1)
    return sizes


def _read_size(encoded: Encoded) -> Size | None:
    from PIL import Image

    file = encoded if isinstance(encoded, Path) else BytesIO(encoded)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(file, formats=FORMATS) as image:
                width, height = image.size
                return (width, height) if _lies_on_its_side(image) else (height, width)
        except Exception:  # damaged data makes Pillow raise almost any type; decoding tells why
            return None


def _lies_on_its_side(image: Image) -> bool:
    """Tell whether EXIF turns height into width, which Pillow's size does not have yet."""
    if image.format == "TIFF":
        return False  # its size is upright from the beginning
    if image.format == "PNG" and "exif" not in image.info:
        return False  # Pillow would decode it all, to find what may stand behind the pixels
    return image.getexif().get(ORIENTATION) in (5, 6, 7, 8)
