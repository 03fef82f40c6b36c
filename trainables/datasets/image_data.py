"""The contract between the sources of images and everything that trains on them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]
Texts = npt.NDArray[np.str_]


@dataclass(frozen=True, kw_only=True, slots=True)
class Originals:
    """Tells what images are like in their files, upright, before they are resized and converted.

    Sizes are (H, W) in pixels.

    Attributes:
        smallest, largest: By area.
        most_frequent: The size that most images have; of equally frequent ones the smallest.
        num_sizes: How many different sizes there are.
        num_most_frequent: How many images have the most frequent one.
        median_shorter_side: In pixels.
        modes: How many images have a mode, by Pillow's name of it, the most frequent first; empty
            where the source gives pixels, and no files that have one.
    """

    smallest: tuple[int, int]
    most_frequent: tuple[int, int]
    largest: tuple[int, int]
    num_sizes: int
    num_most_frequent: int
    median_shorter_side: int
    modes: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class MajorityClass:
    """Describes the commonest class of the train split.

    Attributes:
        test_accuracy: What always answering this class reaches on the test split.
        num_test: How many test images there are; an early version did not record it.
    """

    name: str
    test_accuracy: float
    num_test: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ImageData:
    """Holds decoded images with their labels and splits. The arrays are read-only.

    Shapes: N images, H x W pixels, C channels (1 or 3). The indices are sorted.

    Attributes:
        images_NHWC: The images of all splits.
        labels_N: Indices into `class_names`.
        names_N: The file that each image came from, and the line of a table that lists it; else
            its row, or its number in a published set. No part of the fingerprint.
        class_names: By label.
        train_indices: Indices of the images that models are trained on.
        validation_indices: Indices of the images that models are chosen by.
        test_indices: Indices of the images that the chosen models are measured on.
        fingerprint: sha256 of the content, whatever the paths and times of its files.
        split_fingerprint: sha256 of the three arrays of indices, and of groups and folds.
        source: The text of `--dataset`.
        notes: What the user should know of how the data was read, a sentence each.
        originals: The images as their files have them; `None` where nobody looked.
        groups_N: The name of the group that each image belongs to, whose images are all in one
            split where that is drawn; `None` where the source gives no groups.
        folds: The sorted indices of each fold of cross-validation, where there are any; train and
            validation are those of the first one then.
        decoded: The folder, an absolute path, from whose files images and names are mapped; `None`
            where they are in memory.
    """

    images_NHWC: Pixels
    labels_N: Integers
    names_N: Texts
    class_names: tuple[str, ...]
    train_indices: Integers
    validation_indices: Integers
    test_indices: Integers
    fingerprint: str
    split_fingerprint: str
    source: str
    notes: tuple[str, ...]
    originals: Originals | None = None
    groups_N: Texts | None = None
    folds: tuple[Integers, ...] = ()
    decoded: Path | None = None

    @property
    def known_indices(self) -> Integers:
        """Give the sorted indices of all images but those of test."""
        return np.union1d(self.train_indices, self.validation_indices)

    @property
    def num_validated(self) -> int:
        """Count the images that a trial of the search is validated on, over all folds."""
        return sum(map(len, self.folds)) or len(self.validation_indices)

    def in_fold(self, number: int) -> "ImageData":
        """Return the data with one of the folds to validate on, and the others to train on."""
        validation = self.folds[number]
        return replace(
            self,
            train_indices=np.setdiff1d(self.known_indices, validation, assume_unique=True),
            validation_indices=validation,
            split_fingerprint=f"{self.split_fingerprint} fold {number}",
        )

    @property
    def num_classes(self) -> int:
        """Count the classes, K."""
        return len(self.class_names)

    @property
    def image_size(self) -> tuple[int, int]:
        """Give height and width in pixels, (H, W)."""
        return self.images_NHWC.shape[1], self.images_NHWC.shape[2]

    @property
    def num_channels(self) -> int:
        """Give 1 for grey images, 3 for RGB."""
        return int(self.images_NHWC.shape[3])

    @property
    def majority_class(self) -> MajorityClass:
        """Find what is reached without a look at the images; of equals the first class counts."""
        label = int(np.bincount(self.labels_N[self.train_indices]).argmax())
        is_right_N = self.labels_N == label
        return MajorityClass(
            name=self.class_names[label],
            test_accuracy=float(is_right_N[self.test_indices].mean()),
            num_test=len(self.test_indices),
        )
