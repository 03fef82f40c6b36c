"""Groups stay whole, and classes are in every part."""

from collections.abc import Sequence

import numpy as np
import pytest

from trainables.datasets import DatasetError
from trainables.datasets.image_data import Integers, Texts
from trainables.datasets.splits.draw import Indices, split_indices
from trainables.datasets.splits.groups import assign_groups


def patients(sizes: Sequence[int], num_classes: int) -> tuple[Integers, Texts]:
    """Give each patient so many images, of one class; classes take turns."""
    labels_N = np.repeat(np.arange(len(sizes)) % num_classes, sizes)
    return labels_N, np.repeat([f"p{number}" for number in range(len(sizes))], sizes)


def split(labels_N: Integers, groups_N: Texts, *, seed: int = 0, **given: int) -> Indices:
    splits_N = np.zeros(len(labels_N), np.int8)
    size = given.get("train_size")
    return split_indices(labels_N, splits_N, train_size=size, seed=seed, groups_N=groups_N)


def shares(labels_N: Integers, part: Integers) -> list[float]:
    found: list[float] = (np.bincount(labels_N[part]) / np.bincount(labels_N)).tolist()
    return found


@pytest.mark.parametrize("seed", range(3))
def test_a_group_is_in_one_split_and_classes_keep_their_shares(seed: int) -> None:
    sizes = np.random.default_rng(seed).integers(1, 9, 120).tolist()
    labels_N, groups_N = patients(sizes, 3)
    parts = split(labels_N, groups_N, seed=seed)
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(len(labels_N)))
    seen = [set(groups_N[part]) for part in parts]
    assert sum(map(len, seen)) == 120
    for part, share in zip(parts, (0.64, 0.16, 0.2), strict=True):
        assert shares(labels_N, part) == pytest.approx([share] * 3, abs=0.05)
        np.testing.assert_array_equal(part, np.sort(part))


def test_few_uneven_groups_come_as_near_to_their_shares_as_they_can() -> None:
    labels_N, groups_N = patients([40, 40, 10, 10, 10, 10, 10, 10, 5, 5, 5, 5], 2)
    parts_N = assign_groups(labels_N, groups_N, (0.8, 0.2), np.random.default_rng(0))
    assert shares(labels_N, np.flatnonzero(parts_N == 1)) == [0.1875, 0.1875]  # 15 of 80 each


@pytest.mark.parametrize("seed", range(5))
def test_a_class_of_three_groups_is_in_all_splits_beside_a_hundred_others(seed: int) -> None:
    labels_N, groups_N = patients([2] * 100, 2)
    rare = np.arange(12) + 2  # twelve classes, each of three patients with an image each
    labels_N = np.concatenate([labels_N, np.repeat(rare, 3)])
    groups_N = np.concatenate([groups_N, [f"rare {number}" for number in range(36)]])
    for part in split(labels_N, groups_N, seed=seed):
        assert set(labels_N[part]) == set(range(14))


def test_groups_of_several_classes_are_divided_too() -> None:
    generator = np.random.default_rng(0)
    groups_N = np.repeat([f"p{number}" for number in range(60)], 5)
    labels_N = generator.integers(0, 4, 300)
    for part, share in zip(split(labels_N, groups_N), (0.64, 0.16, 0.2), strict=True):
        assert shares(labels_N, part) == pytest.approx([share] * 4, abs=0.06)


def test_classes_that_no_two_splits_can_have_are_an_error() -> None:
    """Divide the Fano plane's points in two as one will: a line has all of its points in one."""
    lines = ("124", "235", "346", "457", "561", "672", "713")
    groups_N = np.array([point for line in lines for point in line])
    labels_N = np.repeat(np.arange(7), 3)
    with pytest.raises(DatasetError, match="into two splits that have all 7 classes: add images"):
        split(labels_N, groups_N)


def test_same_seed_same_split_and_another_seed_another_one() -> None:
    labels_N, groups_N = patients([3] * 40, 2)
    first, again, other = (split(labels_N, groups_N, seed=seed) for seed in (0, 0, 1))
    assert [part.tolist() for part in first] == [part.tolist() for part in again]
    assert first.test.tolist() != other.test.tolist()


def test_splits_stay_those_that_earlier_runs_have_recorded() -> None:
    """Or they could not be resumed."""
    found = split(*patients([4] * 15, 3), seed=1)
    assert found.fingerprint().startswith("3ec3dd887f054e5f")


def test_a_subset_to_train_on_leaves_the_test_groups_as_they_are() -> None:
    labels_N, groups_N = patients([4] * 50, 2)
    whole, part = split(labels_N, groups_N), split(labels_N, groups_N, train_size=60)
    np.testing.assert_array_equal(part.test, whole.test)
    assert len(part.train) + len(part.validation) == 60
    assert not set(groups_N[part.train]) & set(groups_N[part.validation])
