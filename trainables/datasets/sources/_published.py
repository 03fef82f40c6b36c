"""What the published sets have in common: train and test files of plain numbers."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from trainables.datasets.errors import DatasetError
from trainables.datasets.image_data import Pixels
from trainables.datasets.source import Arrays, Split


class Part(NamedTuple):
    """Holds the images and labels of one split as their files have them."""

    images_NHWC: Pixels
    labels_N: Pixels


def train_and_test(root: Path, train: Part, test: Part, class_names: tuple[str, ...]) -> Arrays:
    """Join the two parts; raises `DatasetError` where labels do not fit the images or classes."""
    for name, part in (("train", train), ("test", test)):
        if len(part.images_NHWC) != len(part.labels_N):
            raise damaged(root, f"{len(part.images_NHWC):,} {name} images have other labels")
        if len(part.labels_N) and part.labels_N.max() >= len(class_names):
            raise damaged(root, f"a {name} label is {part.labels_N.max()}")
    counts = [len(train.labels_N), len(test.labels_N)]
    return Arrays(
        images_NHWC=np.concatenate([train.images_NHWC, test.images_NHWC]),
        labels_N=np.concatenate([train.labels_N, test.labels_N]).astype(np.int64),
        splits_N=np.repeat(np.array([Split.TRAIN, Split.TEST], dtype=np.int8), counts),
        class_names=class_names,
    )


def damaged(path: Path, reason: str) -> DatasetError:
    """Make the error for a file that is not what was downloaded."""
    return DatasetError(f"{path} is damaged: {reason}. Delete it, so that it is fetched anew.")
