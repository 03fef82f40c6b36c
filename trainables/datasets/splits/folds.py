"""Cut what is not for test into folds: each is validated on once, and trained on otherwise.

Kohavi, "A Study of Cross-Validation and Bootstrap for Accuracy Estimation and Model Selection",
1995: stratified folds.
"""

import math

import numpy as np

from trainables.datasets.errors import DatasetError, counted
from trainables.datasets.image_data import ImageData, Integers, Texts
from trainables.datasets.splits.groups import assign_groups

FEW_IMAGES = 1000
"""With fewer images to train and validate on, folds are proposed."""

PROPOSED_FOLDS = 5


def cut_folds(
    labels_N: Integers,
    indices: Integers,
    *,
    num_folds: int,
    seed: int,
    groups_N: Texts | None,
) -> tuple[Integers, ...]:
    """Cut `indices` into folds, stratified, and all images of a group in one -> sorted indices.

    Raises:
        DatasetError: There are too few images or groups, or a fold would train without a class.
    """
    wholes_N = np.arange(len(labels_N)) if groups_N is None else groups_N
    num_wholes = len(np.unique(wholes_N[indices]))
    if num_wholes < num_folds:
        what = counted(num_wholes, "image" if groups_N is None else "group")
        raise DatasetError(
            f"the value of --folds is {num_folds}, but must be at most {num_wholes}: test apart, "
            f"there are {what}."
        )
    generator = np.random.default_rng([seed, 3])
    shares = [1 / num_folds] * num_folds
    parts_N = assign_groups(labels_N[indices], wholes_N[indices], shares, generator)
    folds = tuple(indices[parts_N == fold] for fold in range(num_folds))
    classes = set(labels_N[indices].tolist())
    lacking = {
        label
        for fold in range(num_folds)
        for label in classes - set(labels_N[indices[parts_N != fold]].tolist())
    }
    if lacking:
        what = counted(len(lacking), "class has all its", "classes have all their")
        raise DatasetError(
            f"the value of --folds is {num_folds}, but {what} images in one group, so that a "
            "fold would train without: add images of other groups, or leave --folds out."
        )
    return folds


def propose_folds(data: ImageData) -> list[str]:
    """Tell how little a small validation split says, and propose folds; nothing where it is large.

    The interval is that of a share of independent images, by the normal distribution.
    """
    num_known, num_validated = len(data.known_indices), len(data.validation_indices)
    if data.folds or num_known >= FEW_IMAGES:
        return []
    uncertainty = 1.96 * math.sqrt(0.9 * 0.1 / num_validated)
    return [
        f"few images to choose by: an accuracy of 0.9 on {num_validated} of validation is known to "
        f"within {uncertainty:.2f}; --folds {PROPOSED_FOLDS} validates on all {num_known}, and "
        f"trains {PROPOSED_FOLDS} models per trial of the search"
    ]
