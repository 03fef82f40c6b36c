"""What a source of images gives: encoded images to decode, or arrays that are ready."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from trainables.datasets.decoding.decode import Encoded
from trainables.datasets.image_data import Integers, Pixels

Splits = npt.NDArray[np.int8]  # of Split values


class Split(IntEnum):
    """The split that a source gives to an image."""

    TRAIN = 0
    VALIDATION = 1
    TEST = 2


SPLIT_NAMES = {
    "train": Split.TRAIN,
    "training": Split.TRAIN,
    "val": Split.VALIDATION,
    "valid": Split.VALIDATION,
    "validation": Split.VALIDATION,
    "test": Split.TEST,
    "testing": Split.TEST,
}


def split_named(name: str) -> Split | None:
    return SPLIT_NAMES.get(name.strip().lower())


@dataclass(frozen=True, slots=True)
class Item:
    """One image of a listing; its location is how a message names it."""

    location: str
    label: int | None
    split: Split = Split.TRAIN


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """Images still to decode; `encoded` gives them in the order of `items`, any number of times."""

    items: list[Item]
    encoded: Iterable[Encoded]
    class_names: tuple[str, ...]
    problems: list[str] = field(default_factory=list)

    @property
    def labels_N(self) -> Integers:  # noqa: N802 (a shape)
        """-1 where a label is missing or unknown."""
        labels = [-1 if item.label is None else item.label for item in self.items]
        return np.array(labels, dtype=np.int64)

    @property
    def splits_N(self) -> Splits:  # noqa: N802 (a shape)
        return np.array([item.split for item in self.items], dtype=np.int8)


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrays:
    """Images that need no decoding; memory-mapped views are welcome."""

    images_NHWC: Pixels
    labels_N: Integers
    splits_N: Splits
    class_names: tuple[str, ...]
    unlabelled_NHWC: Pixels | None = None


class Source(Protocol):
    """Files under one root: listed to find their cache, read only where there is none."""

    @property
    def root(self) -> Path: ...

    def files(self) -> Iterable[str]:
        """The files that the decoded images depend on, relative to the root."""

    def read(self) -> Listing | Arrays: ...


def ordered_class_names(names: Iterable[str]) -> tuple[str, ...]:
    """Each name once: in the order of numbers where all are numbers, else of the alphabet."""
    distinct = set(names)
    if all(name.isdecimal() for name in distinct):
        return tuple(sorted(distinct, key=lambda name: (int(name), name)))
    return tuple(sorted(distinct))


def unknown_class(name: str) -> str:
    return f"class {name!r} is not one that the images to train on have"


def path_problem(root: Path, relative: str) -> str | None:
    """Why `relative` does not name a file inside the (resolved) root; None where it does."""
    if leaves(relative):
        return "a path that leaves the folder"
    path = root / relative
    try:
        if not path.resolve().is_relative_to(root):
            return "a link that leaves the folder"
        if path.is_dir():
            return "a folder where a file is expected"
        return None if path.is_file() else "missing file"
    except (OSError, RuntimeError, ValueError):  # a name too long, links in a circle, a NUL
        return "missing file"


def leaves(relative: str) -> bool:
    """Whether a path leaves its folder by its text alone; links are not looked at."""
    return relative.startswith("/") or ".." in relative.split("/")
