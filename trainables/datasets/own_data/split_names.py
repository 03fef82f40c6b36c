"""What names of files, folders, columns and cells say of the split."""

import re
from functools import lru_cache

from trainables.datasets.source import Split

SPLIT_NAMES = {
    "train": Split.TRAIN,
    "training": Split.TRAIN,
    "val": Split.VALIDATION,
    "valid": Split.VALIDATION,
    "validation": Split.VALIDATION,
    "test": Split.TEST,
    "testing": Split.TEST,
}
OTHER_NAMES = {
    "dev": Split.VALIDATION,
    "eval": Split.TEST,
    "evaluation": Split.TEST,
    "publictest": Split.VALIDATION,  # of FER 2013, whose private test is the one that is reported
    "privatetest": Split.TEST,
}
"""Names that stand for a split where others beside them do; alone they may mean anything."""

UNLABELLED_NAMES = frozenset(("pred", "predict", "prediction", "unlabeled", "unlabelled"))


def split_named(name: str) -> Split | None:
    """Find the split that `name` stands for in any case; `None` where it stands for none."""
    return SPLIT_NAMES.get(name.strip().lower())


@lru_cache(maxsize=1024)
def split_meant(name: str) -> Split | None:
    """Find the split that `name` stands for, by the wider list of names that tables use."""
    name = name.strip().lower()
    return SPLIT_NAMES.get(name, OTHER_NAMES.get(name))


def splits_within(name: str) -> set[Split]:
    """Find the splits that words of `name` stand for: `seg_train`, `training_set`, `test2017`.

    A word ends at a character that is no letter, as the Hub of Hugging Face defines it.
    """
    found = (split_meant(word) for word in re.split(r"[^a-z]+", name.lower()))
    return {split for split in found if split is not None}


def is_unlabelled(name: str) -> bool:
    """Tell whether a word of a folder's name says that its images are to be predicted."""
    return not UNLABELLED_NAMES.isdisjoint(re.split(r"[^a-z]+", name.lower()))
