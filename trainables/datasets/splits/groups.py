"""Keep groups of images whole, such as a patient's: each belongs to one split, or to one fold.

A model that was trained on some images of a patient may know the patient by the others: it looks
better on them than it is on a new patient (Saeb et al., "The need to approximate the use-case in
clinical machine learning", 2017).
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from trainables.datasets.errors import counted, name_first
from trainables.datasets.image_data import ImageData, Integers, Texts
from trainables.datasets.source import Listing, Split

NUM_ASSIGNMENTS = 5000
"""Few groups are uneven: they are drawn several times, until so many of them were assigned, and the
draw is taken that comes closest to the shares."""

Floats = npt.NDArray[np.float64]


def assign_groups(
    labels_N: Integers,
    groups_N: npt.NDArray[np.generic],
    shares_P: Sequence[float],
    generator: np.random.Generator,
) -> Integers:
    """Divide N images into P parts, each group as a whole -> the part of each image.

    In a random order, but those of the rarest class first, each group goes to the part that lacks
    most of its classes. A class is in every part if it has as many groups, which scikit-learn's
    `StratifiedGroupKFold` does not promise; groups of several classes may stand in the way.

    Args:
        labels_N: The classes.
        groups_N: What each image belongs to.
        shares_P: The share of each class that each part should have; they add up to 1.
    """
    _, classes_N = np.unique(labels_N, return_inverse=True)
    names_G, numbers_N = np.unique(groups_N, return_inverse=True)
    counts_GK = np.zeros((len(names_G), classes_N.max() + 1))
    np.add.at(counts_GK, (numbers_N, classes_N), 1)
    num_draws = max(1, NUM_ASSIGNMENTS // len(names_G))
    draws = [_draw(counts_GK, np.array(shares_P), generator) for _ in range(num_draws)]
    parts_G, _ = min(draws, key=lambda draw: draw[1])
    parts_N: Integers = parts_G[numbers_N]
    return parts_N


def _draw(
    counts_GK: Floats, shares_P: Floats, generator: np.random.Generator
) -> tuple[Integers, tuple[int, float]]:
    """Draw once -> the part of each group; how many classes parts are without, and how far the
    parts are from their shares."""
    sizes_K = counts_GK.sum(axis=0)
    is_in_GK = counts_GK > 0
    groups_left_K = is_in_GK.sum(axis=0)
    rarest_G = np.where(is_in_GK, groups_left_K, len(counts_GK)).min(axis=1)
    order = generator.permutation(len(counts_GK))
    parts_G = np.zeros(len(counts_GK), dtype=np.int64)
    held_PK = np.zeros((len(shares_P), len(sizes_K)))
    for group in order[np.argsort(rarest_G[order], kind="stable")]:
        counts_K = counts_GK[group]
        lacks_PK = shares_P[:, None] * sizes_K - held_PK
        lacks_P = lacks_PK @ (counts_K / sizes_K**2)
        lacks_P += lacks_PK.sum(axis=1) * (counts_K.sum() / sizes_K.sum() ** 2)  # decides ties
        allowed_P = _in_need(held_PK[:, is_in_GK[group]] == 0, groups_left_K[is_in_GK[group]])
        part = np.where(allowed_P, lacks_P, -np.inf).argmax()
        parts_G[group] = part
        held_PK[part] += counts_K
        groups_left_K -= is_in_GK[group]
    far_PK = held_PK / sizes_K - shares_P[:, None]
    return parts_G, (int((held_PK == 0).sum()), float(np.square(far_PK).sum()))


def _in_need(
    is_without_PK: npt.NDArray[np.bool_], groups_left_K: Integers
) -> npt.NDArray[np.bool_]:
    """Tell which parts may have a group of K classes, so that none stays without a class of which
    just enough groups are left."""
    allowed_P = np.ones(len(is_without_PK), dtype=bool)
    for label in np.argsort(groups_left_K, kind="stable"):
        needing_P = allowed_P & is_without_PK[:, label]
        if groups_left_K[label] <= is_without_PK[:, label].sum() and needing_P.any():
            allowed_P = needing_P
    return allowed_P


def number_groups(groups_N: Texts) -> Integers:
    """Number the groups from 0, in the order of their names -> the number of each image's."""
    _, numbers_N = np.unique(groups_N, return_inverse=True)
    return numbers_N.astype(np.int64)


def group_problems(listing: Listing) -> list[str]:
    """Say which images have no group, or which classes too few for the splits that are drawn."""
    if listing.groups_N is None:
        return []
    missing = [
        f"{item.location}: group missing: it must say what the image belongs to; one that belongs "
        "to nothing is a group of its own, under a name of its own"
        for item in listing.items
        if not item.group
    ]
    if missing:
        return missing
    to_train_N = listing.splits_N == Split.TRAIN
    labels_N, groups_N = listing.labels_N[to_train_N], listing.groups_N[to_train_N]
    drawn = [s for s in (Split.VALIDATION, Split.TEST) if s not in listing.splits_N]
    least = 1 + len(drawn)
    needed = (
        f"but at least {least} are needed, since a group is in one split as a whole, and "
        f"{' and '.join(split.name.lower() for split in drawn)} must have images too"
    )
    num_groups = len(np.unique(groups_N))
    if num_groups < least:
        return [f"?group=: {counted(num_groups, 'group')} to train on, {needed}"]
    counts_K = [
        len(np.unique(groups_N[labels_N == label])) for label in range(len(listing.class_names))
    ]
    return [
        f"class {name!r}: its images to train on are of {counted(count, 'group')}, {needed}"
        for name, count in zip(listing.class_names, counts_K, strict=True)
        if 0 < count < least
    ]


def shared_groups(data: ImageData, one: Integers, other: Integers) -> list[str]:
    """List the groups that have images among both of two sets of indices."""
    if data.groups_N is None:
        return []
    shared: list[str] = np.intersect1d(data.groups_N[one], data.groups_N[other]).tolist()
    return shared


def count_groups(data: ImageData) -> str:
    """Count the groups in each split, as `, of 80, 20 and 25 groups`; empty without groups."""
    if data.groups_N is None:
        return ""
    splits = [data.train_indices, data.validation_indices, data.test_indices]
    if data.folds:
        splits = [data.known_indices, data.test_indices]
    *others, test = (str(len(np.unique(data.groups_N[split]))) for split in splits)
    return f", of {', '.join(others)} and {test} groups"


def describe_groups(data: ImageData) -> list[str]:
    """Tell of groups in several splits, which only splits of the data's own have: a note each."""
    splits = {
        "train": data.train_indices,
        "validation": data.validation_indices,
        "test": data.test_indices,
    }
    return [
        f"{counted(len(shared), 'group has', 'groups have')} images in {one} and in {other}: "
        f"{name_first(shared)}"
        for one, other in combinations(splits, 2)
        if (shared := shared_groups(data, splits[one], splits[other]))
    ]
