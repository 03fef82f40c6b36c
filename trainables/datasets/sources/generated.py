"""Images made up here, which a classifier can learn: to try a job without its data."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainables.datasets.source import Arrays, SourceKind, Spec, SpecError, Split

SOURCE = SourceKind(
    argument="HxWxC",
    options={"classes": "K", "images": "N"},
    help="made up, to try a job without its data",
    open=lambda spec, data_dir: open_generated(spec),
)
SHAPE = re.compile(r"([1-9]\d{0,3})x([1-9]\d{0,3})x([13])")
COUNT = re.compile("[0-9]{1,9}")

CELLS = 4
"""A class is a pattern of so many by so many squares; each image has its own noise upon it."""

NOISE = 60.0
LEAST_IMAGES = 60
LEAST_PER_CLASS = 5  # three to train on, one to validate on, one to test on


@dataclass(frozen=True, kw_only=True, slots=True)
class Generated:
    """Makes images up, always the same for the same values.

    Attributes:
        shape: Height, width and channels.
        num_classes: At least 2.
        num_images: At least `LEAST_PER_CLASS` for each class; `None` makes as few as will do.
    """

    shape: tuple[int, int, int]
    num_classes: int
    num_images: int | None

    @property
    def root(self) -> Path:
        """Give the folder of this file: the images change when it does."""
        return Path(__file__).parent

    def files(self) -> Iterable[str]:
        """List this file."""
        return [Path(__file__).name]

    def read(self) -> Arrays:
        """Make the images, class by class."""
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


def open_generated(spec: Spec) -> Generated:
    """Read shape and options; raises `SpecError` where one is out of its range."""
    shape = SHAPE.fullmatch(spec.argument)
    if shape is None:
        raise SpecError("the shape must be HEIGHTxWIDTHxCHANNELS, 28x28x1 for instance")
    height, width, channels = map(int, shape.groups())
    num_classes = _count(spec, "classes", 2) or 10
    num_images = _count(spec, "images", LEAST_PER_CLASS * num_classes)
    return Generated(
        shape=(height, width, channels), num_classes=num_classes, num_images=num_images
    )


def _count(spec: Spec, option: str, least: int) -> int | None:
    text = spec.options.get(option)
    if text is None:
        return None
    if not COUNT.fullmatch(text) or int(text) < least:
        raise SpecError(f"{option} must be a number, at least {least}")
    return int(text)


def _splits(per_class: int) -> "np.ndarray[tuple[int], np.dtype[np.int8]]":
    """Give half of a class to train, a quarter each to validation and test."""
    held_out = max(1, per_class // 4)
    splits = np.full(per_class, Split.TRAIN, dtype=np.int8)
    splits[:held_out] = Split.TEST
    splits[held_out : 2 * held_out] = Split.VALIDATION
    return splits
