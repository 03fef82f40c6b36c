"""Images made up here, which a classifier can learn: to try a job without its data."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainables.datasets.sources.source import Arrays, Split

CELLS = 4
"""A class is a pattern of so many by so many squares; each image has its own noise upon it."""

NOISE = 60.0
LEAST_IMAGES = 60
LEAST_PER_CLASS = 5  # three to train on, one to validate on, one to test on


@dataclass(frozen=True, kw_only=True, slots=True)
class Generated:
    """`generated:HxWxC?classes=K&images=N`: always the same images for the same text."""

    shape: tuple[int, int, int]
    num_classes: int = 10
    num_images: int | None = None  # `None`: as few as will do

    @property
    def root(self) -> Path:
        return Path(__file__).parent

    def files(self) -> Iterable[str]:
        return [Path(__file__).name]

    def read(self) -> Arrays:
        height, width, channels = self.shape
        least = max(LEAST_PER_CLASS * self.num_classes, LEAST_IMAGES)
        per_class = -(-(self.num_images or least) // self.num_classes)
        generator = np.random.default_rng([height, width, channels, self.num_classes])
        squares_KSSC = generator.uniform(0, 255, (self.num_classes, CELLS, CELLS, channels))
        rows = np.arange(height) * CELLS // height
        columns = np.arange(width) * CELLS // width
        patterns_KHWC = squares_KSSC[:, rows][:, :, columns]
        labels_N = np.repeat(np.arange(self.num_classes), per_class)
        noise_NHWC = generator.normal(0, NOISE, (len(labels_N), height, width, channels))
        return Arrays(
            images_NHWC=(patterns_KHWC[labels_N] + noise_NHWC).clip(0, 255).astype(np.uint8),
            labels_N=labels_N,
            splits_N=np.tile(_splits(per_class), self.num_classes),
            class_names=tuple(f"class {k}" for k in range(self.num_classes)),
        )


def _splits(per_class: int) -> "np.ndarray[tuple[int], np.dtype[np.int8]]":
    """Half of a class to train on, a quarter each to validate and to test on."""
    held_out = max(1, per_class // 4)
    splits = np.full(per_class, Split.TRAIN, dtype=np.int8)
    splits[:held_out] = Split.TEST
    splits[held_out : 2 * held_out] = Split.VALIDATION
    return splits
