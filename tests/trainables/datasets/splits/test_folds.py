"""Folds: every image but those of test is validated on once."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from trainables.datasets import DatasetError, load_dataset
from trainables.datasets.splits.draw import Indices
from trainables.datasets.splits.folds import cut_folds, propose_folds


def test_each_image_but_those_of_test_is_in_one_fold(data_dir: Path) -> None:
    whole = load_dataset("digits", data_dir=data_dir)
    data = load_dataset("digits", data_dir=data_dir, folds=5)
    np.testing.assert_array_equal(data.test_indices, whole.test_indices)
    np.testing.assert_array_equal(np.sort(np.concatenate(data.folds)), whole.known_indices)
    assert {len(fold) for fold in data.folds} <= {287, 288}
    counts_FK = np.array([np.bincount(data.labels_N[fold]) for fold in data.folds])
    assert (counts_FK.max(axis=0) - counts_FK.min(axis=0)).max() <= 1
    assert data.num_validated == len(whole.known_indices)
    views = [data.in_fold(number) for number in range(5)]
    assert len({view.split_fingerprint for view in [*views, data, whole]}) == 7
    for view, fold in zip(views, data.folds, strict=True):
        assert view.validation_indices is fold
        assert not np.isin(view.train_indices, fold).any()
        np.testing.assert_array_equal(view.known_indices, whole.known_indices)
    np.testing.assert_array_equal(data.validation_indices, data.folds[0])


def test_the_seed_of_the_split_cuts_the_folds(data_dir: Path) -> None:
    first, again, other = (
        load_dataset("digits", data_dir=data_dir, folds=3, split_seed=seed) for seed in (0, 0, 1)
    )
    assert first.split_fingerprint == again.split_fingerprint != other.split_fingerprint


def test_a_subset_to_train_on_is_what_is_cut(data_dir: Path) -> None:
    data = load_dataset("digits", data_dir=data_dir, folds=4, train_size=80)
    assert [len(fold) for fold in data.folds] == [20] * 4


def test_a_group_is_in_one_fold() -> None:
    groups_N = np.array([f"p{number}" for number in np.repeat(np.arange(30), 4)])
    labels_N = np.repeat(np.arange(30) % 3, 4)
    folds = cut_folds(labels_N, np.arange(8, 120), num_folds=4, seed=0, groups_N=groups_N)
    assert [len(set(groups_N[fold])) for fold in folds] == [7] * 4
    assert len(set().union(*(groups_N[fold] for fold in folds))) == 28
    assert all(set(labels_N[fold]) == {0, 1, 2} for fold in folds)


def test_folds_stay_those_that_earlier_runs_have_recorded() -> None:
    """Or they could not be resumed."""
    folds = cut_folds(np.arange(60) % 3, np.arange(60), num_folds=3, seed=1, groups_N=None)
    assert Indices(*folds).fingerprint().startswith("a6e488ee30861d94")


def test_a_fold_may_validate_without_a_class_that_it_trains_with() -> None:
    """The last class is in two groups, fewer than there are folds."""
    labels_N = np.repeat([0, 0, 0, 0, 1, 1], 4)
    groups_N = np.repeat([f"p{number}" for number in range(6)], 4)
    folds = cut_folds(labels_N, np.arange(24), num_folds=3, seed=0, groups_N=groups_N)
    assert sorted(len(set(labels_N[fold])) for fold in folds) == [1, 2, 2]


@pytest.mark.parametrize(
    ("group", "num_folds", "told"),
    [
        (np.arange(12), 13, "--folds is 13, but must be at most 12: test apart, there are 12 im"),
        (np.arange(12) // 4, 4, "--folds is 4, but must be at most 3: test apart, there are 3 gr"),
        (np.arange(12) // 6, 2, "--folds is 2, but 2 classes have all their images in one group"),
    ],
)
def test_too_few(group: np.ndarray, num_folds: int, told: str) -> None:
    labels_N = np.arange(12) // 6
    groups_N = group.astype(np.str_) if num_folds < 13 else None
    with pytest.raises(DatasetError) as error:
        cut_folds(labels_N, np.arange(12), num_folds=num_folds, seed=0, groups_N=groups_N)
    assert told in str(error.value)


def test_folds_are_proposed_where_images_are_few(data_dir: Path) -> None:
    few = load_dataset("digits", data_dir=data_dir, train_size=300)
    [note] = propose_folds(few)
    assert note == (
        "few images to choose by: an accuracy of 0.9 on 60 of validation is known to within 0.08; "
        "--folds 5 validates on all 300, and trains 5 models per trial of the search"
    )
    assert propose_folds(load_dataset("digits", data_dir=data_dir)) == []
    assert propose_folds(dataclasses.replace(few, folds=(few.known_indices,))) == []
