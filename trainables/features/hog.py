"""Compute histograms of oriented gradients.

Source: Dalal & Triggs 2005, https://doi.org/10.1109/CVPR.2005.177.
"""

import math

import numpy as np
import numpy.typing as npt
from skimage.feature import hog

from trainables.config import ConfigError

CELLS_PER_SIDE = 8
"""The most cells a side, so that a descriptor has at most (8 - 1)^2 * 2 * 2 * 9 = 1,764 numbers,
however large the image is."""

LEAST_PIXELS_PER_CELL = 2
CELLS_PER_BLOCK = 2
ORIENTATIONS = 9


def hog_descriptors(images_NHWC: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Compute scikit-image's descriptor of each image; return float32 ND.

    A pixel of colour counts by its channel of largest gradient.

    Args:
        images_NHWC: C is 1 or 3.

    Raises:
        ConfigError: An image is smaller than a block.
    """
    height, width, channels = images_NHWC.shape[1:]
    cell = cell_size(height, width)
    block = tuple(CELLS_PER_BLOCK * side for side in cell)
    if height < block[0] or width < block[1]:
        raise ConfigError(
            f"image_size = {height}x{width}: HOG needs images of at least "
            f"{block[0]}x{block[1]} pixels: give a larger --image-size"
        )
    single = channels == 1
    return np.stack(
        [
            hog(
                image_HWC[..., 0] if single else image_HWC,
                orientations=ORIENTATIONS,
                pixels_per_cell=cell,
                cells_per_block=(CELLS_PER_BLOCK, CELLS_PER_BLOCK),
                channel_axis=None if single else -1,
            )
            for image_HWC in images_NHWC
        ],
        dtype=np.float32,
        casting="same_kind",
    )


def cell_size(height: int, width: int) -> tuple[int, int]:
    """Return a cell's (height, width) in pixels: an eighth of the side, rounded up, at least 2."""
    return _cell_side(height), _cell_side(width)


def _cell_side(pixels: int) -> int:
    return max(LEAST_PIXELS_PER_CELL, math.ceil(pixels / CELLS_PER_SIDE))
