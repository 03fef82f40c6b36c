"""Stratified splits: what the source gives is used, what it lacks is set aside."""

import hashlib
from typing import NamedTuple

import numpy as np

from trainables.datasets.errors import DatasetError
from trainables.datasets.image_data import Integers, Texts
from trainables.datasets.source import Split, Splits
from trainables.datasets.splits.groups import assign_groups

HELD_OUT_FRACTION = 0.2
MIN_IMAGES_PER_CLASS = 3  # one to train on, one to validate on, one to test on


class Indices(NamedTuple):
    """Holds the sorted indices of the images of each split."""

    train: Integers
    validation: Integers
    test: Integers

    def fingerprint(self, *more: Integers) -> str:
        """Compute the sha256 of the three arrays, and of what else says how images are divided."""
        digest = hashlib.sha256()
        for indices in (*self, *more):
            digest.update(len(indices).to_bytes(8, "little"))
            digest.update(indices.astype("<i8").tobytes())
        return digest.hexdigest()


def split_indices(
    labels_N: Integers,
    splits_N: Splits,
    *,
    train_size: int | None,
    seed: int,
    groups_N: Texts | None = None,
) -> Indices:
    """Split N images: the splits that the source gives are kept, those it lacks are drawn.

    The test split depends on the seed alone, never on `train_size`: each step draws from its own
    generator, so that no step's draws depend on another's.

    Args:
        groups_N: What each image belongs to: a split that is drawn has all images of a group that
            it draws from, or none.

    Raises:
        DatasetError: `train_size` is too small for the classes, or more than there is; or no draw
            of whole groups gives each split all classes.
    """
    train, validation, test = (np.flatnonzero(splits_N == split) for split in Split)
    if not len(test):
        train, test = _hold_out(labels_N, groups_N, train, np.random.default_rng([seed, 0]))
    if train_size is not None:
        least = 1 if len(validation) else 2  # one stays to train on, one goes to validation
        _check_train_size(train_size, labels_N[train], least)
        generator = np.random.default_rng([seed, 1])
        train = stratified_sample(labels_N, train, train_size, generator, least=least)
    if not len(validation):
        generator = np.random.default_rng([seed, 2])
        train, validation = _hold_out(labels_N, groups_N, train, generator)
    return Indices(train, validation, test)


def stratified_sample(
    labels_N: Integers,
    indices: Integers,
    size: int,
    generator: np.random.Generator,
    *,
    least: int = 1,
) -> Integers:
    """Draw `size` of the `indices`, sorted: each class in proportion, but at least `least` of it.

    Written here because importing scikit-learn for its own takes seconds, and because that one
    promises no class a place in a small split.
    """
    classes, sizes_K = np.unique(labels_N[indices], return_counts=True)
    size = max(size, least * len(classes))
    quotas_K = size * sizes_K / sizes_K.sum()
    counts_K = np.maximum(np.floor(quotas_K).astype(np.int64), least)
    while counts_K.sum() < size:
        counts_K[np.argmax(quotas_K - counts_K)] += 1
    while counts_K.sum() > size:
        counts_K[np.argmax(np.where(counts_K > least, counts_K - quotas_K, -np.inf))] -= 1
    drawn = [
        generator.permutation(indices[labels_N[indices] == label])[:count]
        for label, count in zip(classes, counts_K, strict=True)
    ]
    return np.sort(np.concatenate(drawn))


def _hold_out(
    labels_N: Integers,
    groups_N: Texts | None,
    indices: Integers,
    generator: np.random.Generator,
) -> tuple[Integers, Integers]:
    """Divide into (kept, held out), at least one image of every class on both sides."""
    if groups_N is None:
        size = round(HELD_OUT_FRACTION * len(indices))
        held_out = stratified_sample(labels_N, indices, size, generator)
        return np.setdiff1d(indices, held_out, assume_unique=True), held_out
    shares = 1 - HELD_OUT_FRACTION, HELD_OUT_FRACTION
    parts_N = assign_groups(labels_N[indices], groups_N[indices], shares, generator)
    kept, held_out = indices[parts_N == 0], indices[parts_N == 1]
    classes = [len(np.unique(labels_N[part])) for part in (indices, kept, held_out)]
    if len(set(classes)) > 1:
        raise DatasetError(
            "the groups of --dataset (?group=) cannot be divided into two splits that have all "
            f"{classes[0]} classes: add images of other groups, try another --split-seed, or give "
            "the splits in a column."
        )
    return kept, held_out


def _check_train_size(train_size: int, labels: Integers, least_per_class: int) -> None:
    num_classes = len(np.unique(labels))
    least = least_per_class * num_classes
    if not least <= train_size <= len(labels):
        raise DatasetError(
            f"the value of --train-size is {train_size:,}, but must be from {least:,} "
            f"({least_per_class} for each of {num_classes} classes) to {len(labels):,} "
            "(what the source gives to train on, test images apart)."
        )
