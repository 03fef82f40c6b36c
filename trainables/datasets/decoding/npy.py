"""Large .npy files of pixels, written and read a part at a time."""

import math
import shutil
from pathlib import Path

import numpy as np

from trainables.datasets.decoding.decode import to_pixels
from trainables.datasets.errors import DatasetError
from trainables.datasets.image_data import Pixels
from trainables.progress import progress_bar

PART = 1024  # images


def create_npy(target: Path, shape: tuple[int, ...]) -> Pixels:
    """Create a file of pixels, mapped for writing.

    Raises `DatasetError` where the disk has no room: to write then would kill this process.
    """
    needed_bytes, free_bytes = math.prod(shape), shutil.disk_usage(target.parent).free
    if needed_bytes > free_bytes:
        raise DatasetError(
            f"the decoded images need {needed_bytes / 1e9:,.1f} GB, but the disk of {target} has "
            f"{free_bytes / 1e9:,.1f} GB free. Give a smaller --image-size, or more room."
        )
    pixels: Pixels = np.lib.format.open_memmap(target, mode="w+", dtype=np.uint8, shape=shape)
    return pixels


def copy_pixels(pixels_NHWC: Pixels, target: Path, image_size: tuple[int, int] | None) -> None:
    """Copy decoded images to a new file, resized as encoded ones would be."""
    from PIL import Image

    num_images, height, width, num_channels = pixels_NHWC.shape
    copied_NHWC = create_npy(target, (num_images, *(image_size or (height, width)), num_channels))
    if image_size in (None, (height, width)):
        for start in range(0, num_images, PART):
            copied_NHWC[start : start + PART] = pixels_NHWC[start : start + PART]
        return
    with progress_bar("Resizing images", num_images) as advance:
        for copied_HWC, pixels_HWC in zip(copied_NHWC, pixels_NHWC, strict=True):
            plain = pixels_HWC[:, :, 0] if num_channels == 1 else pixels_HWC
            image = Image.fromarray(np.ascontiguousarray(plain))
            copied_HWC[:] = to_pixels(image, image_size=image_size, num_channels=num_channels)
            advance(1)


def keep_one_channel(target: Path) -> None:
    """Rewrite a file of grey images in RGB as one of grey images in one channel."""
    rgb_NHWC = np.load(target, mmap_mode="r", allow_pickle=False)
    grey = target.with_suffix(".grey")
    grey_NHW1 = create_npy(grey, (*rgb_NHWC.shape[:3], 1))
    for start in range(0, len(rgb_NHWC), PART):
        grey_NHW1[start : start + PART] = rgb_NHWC[start : start + PART, :, :, :1]
    grey_NHW1.flush()  # type: ignore[attr-defined]
    grey.replace(target)
