"""Images that two splits share: a model is not tested on what it was trained on.

*Exact* duplicates have the same decoded pixels. *Near* duplicates have perceptual hashes that
differ in at most `MAX_HASH_DISTANCE` of 64 bits: ImageHash's `phash`, the signs of the lowest
8 x 8 frequencies of the grey image (Zauner, "Implementation and Benchmarking of Perceptual Image
Hash Functions", 2010). It finds an image again after recompression, a change of brightness or
of size, and noise, but hardly after a shift by one pixel of 32, and never after a mirroring.

The bound was chosen on 60,000 JPEGs of CIFAR-10, where 85 of 10,000 test images have a near
duplicate among 40,000 to train on: looked at, 84 are the same photograph or product picture (Barz
and Denzler, "Do We Train on Test Data?", 2020, count 286 by hand). Small drawings have too few
frequencies to be told apart: 17 of the 359 test images of scikit-learn's 8 x 8 digits (10 of
them when enlarged to 28 x 28) lie near another, and all are different scans. Hence near
duplicates are a hint to look, no evidence.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from trainables.datasets.errors import MAX_LISTED, write_list
from trainables.datasets.image_data import ImageData, Integers

MAX_HASH_DISTANCE = 4  # bits of 64
BLOCK_SIZE = 4  # hashes compared with all others at once: the distances stay in the CPU's cache

Hashes = npt.NDArray[np.uint64]
Pair = tuple[int, int]  # indices into `ImageData.images_NHWC`


@dataclass(frozen=True, kw_only=True, slots=True)
class Duplicates:
    """Counts the test images that have a duplicate in the train split, and conflicts of labels.

    An image with an exact duplicate is not counted among the near ones.
    """

    exact_train_test: int
    near_train_test: int
    train_test_examples: tuple[Pair, ...]
    """The first exact pairs, as (train, test) indices into `ImageData.images_NHWC`."""
    num_conflicts: int = 0
    """How many images have the pixels of an earlier one, in any split, but another label; an
    earlier version did not count them."""
    conflict_examples: tuple[Pair, ...] = ()
    """The first of these, as (earlier, later) indices, where train is earlier than validation."""
    train_test_list: str | None = None
    """The file that names all exact pairs of train and test; `None` where the examples are all."""
    conflict_list: str | None = None
    """The file that names all conflicts; `None` where the examples are all."""


class _Split(NamedTuple):
    indices_N: Integers
    digests: list[bytes]


def find_duplicates(data: ImageData, lists: Path | None = None) -> Duplicates:
    """Compare the splits of `data`; 60,000 images of 32 x 32 x 3 take 3 s, mostly to hash.

    Pairs that are more than the examples are written, all of them, into files of `lists`.
    """
    splits = data.train_indices, data.validation_indices, data.test_indices
    train, validation, test = (_digest(data, indices_N) for indices_N in splits)
    train_test = _exact_pairs(train, test)
    conflicts = _conflicts((train, validation, test), data.labels_N)
    others = np.setdiff1d(data.test_indices, [index for _, index in train_test])
    return Duplicates(
        exact_train_test=len(train_test),
        near_train_test=_count_near(_hash(data, data.train_indices), _hash(data, others)),
        train_test_examples=tuple(train_test[:MAX_LISTED]),
        num_conflicts=len(conflicts),
        conflict_examples=tuple(conflicts[:MAX_LISTED]),
        train_test_list=_write(name_pairs, train_test, data, lists),
        conflict_list=_write(name_conflicts, conflicts, data, lists),
    )


def _write(
    name: Callable[[Sequence[Pair], ImageData], list[str]],
    pairs: Sequence[Pair],
    data: ImageData,
    lists: Path | None,
) -> str | None:
    """Write pairs that are more than the examples into a file, and return its path."""
    if lists is None or len(pairs) <= MAX_LISTED:
        return None
    return write_list(name(pairs, data), lists)


def name_pairs(pairs: Sequence[Pair], data: ImageData) -> list[str]:
    """Name the two images of each pair: `train/a.png and test/b.png`."""
    return [f"{data.names_N[one]} and {data.names_N[other]}" for one, other in pairs]


def name_conflicts(pairs: Sequence[Pair], data: ImageData) -> list[str]:
    """Name the two images of each pair with their classes: `a.png (cat) and b.png (dog)`."""
    return [
        " and ".join(f"{data.names_N[i]} ({data.class_names[data.labels_N[i]]})" for i in pair)
        for pair in pairs
    ]


def _digest(data: ImageData, indices_N: Integers) -> _Split:
    images = (data.images_NHWC[index] for index in indices_N)
    return _Split(indices_N, [hashlib.sha256(image.tobytes()).digest() for image in images])


def _hash(data: ImageData, indices_N: Integers) -> Hashes:
    from imagehash import phash  # imports scipy: half a second
    from PIL import Image

    images = (data.images_NHWC[index] for index in indices_N)
    bits = [
        phash(Image.fromarray(image_HWC[..., 0] if data.num_channels == 1 else image_HWC)).hash
        for image_HWC in images
    ]
    packed = np.packbits(np.array(bits, dtype=bool).reshape(-1, 64), axis=1)
    return packed.view(np.uint64)[:, 0]


def _exact_pairs(earlier: _Split, later: _Split) -> list[Pair]:
    """Pair each image of `later` with its first duplicate: (index in `earlier`, own index)."""
    first: dict[bytes, int] = {}
    for digest, index in zip(earlier.digests, earlier.indices_N.tolist(), strict=True):
        first.setdefault(digest, index)
    found = zip(later.digests, later.indices_N.tolist(), strict=True)
    return [(first[digest], index) for digest, index in found if digest in first]


def _conflicts(splits: Iterable[_Split], labels_N: Integers) -> list[Pair]:
    """Pair each image with the first one of equal pixels, where their labels differ."""
    first: dict[bytes, int] = {}
    pairs = []
    for split in splits:
        for digest, index in zip(split.digests, split.indices_N.tolist(), strict=True):
            earlier = first.setdefault(digest, index)
            if labels_N[earlier] != labels_N[index]:
                pairs.append((earlier, index))
    return pairs


def _count_near(earlier_N: Hashes, later_M: Hashes) -> int:
    """Count how many of `later_M` lie near one of `earlier_N`."""
    count = 0
    for start in range(0, len(later_M), BLOCK_SIZE):
        block_B1 = later_M[start : start + BLOCK_SIZE, None]
        distances_BN = np.bitwise_count(block_B1 ^ earlier_N)
        count += int((distances_BN <= MAX_HASH_DISTANCE).any(axis=1).sum())
    return count
