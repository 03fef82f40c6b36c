"""The contract between the sources of images and everything that trains on them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ImageData:
    """Decoded images with their labels and splits. The arrays are read-only.

    Shapes: N images, H x W pixels, C channels (1 or 3). The indices are sorted.
    """

    images_NHWC: Pixels
    labels_N: Integers
    class_names: tuple[str, ...]
    train_indices: Integers
    validation_indices: Integers
    test_indices: Integers
    unlabelled_NHWC: Pixels | None
    fingerprint: str  # sha256 of the content, whatever the paths and times of its files
    split_fingerprint: str  # sha256 of the three index arrays
    source: str  # the text of --dataset
    notes: tuple[str, ...]  # what the user should know of how the data was read

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    @property
    def image_size(self) -> tuple[int, int]:
        """(H, W)"""
        return self.images_NHWC.shape[1], self.images_NHWC.shape[2]

    @property
    def num_channels(self) -> int:
        return int(self.images_NHWC.shape[3])
