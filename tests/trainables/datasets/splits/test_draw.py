"""Stratified splits by seed."""

import numpy as np
import pytest

from trainables.datasets.errors import DatasetError
from trainables.datasets.image_data import Integers
from trainables.datasets.source import Split, Splits
from trainables.datasets.splits.draw import Indices, split_indices, stratified_sample


def labels(*counts: int) -> Integers:
    shuffled = np.repeat(np.arange(len(counts)), counts)
    return np.random.default_rng(7).permutation(shuffled).astype(np.int64)


def split(
    labels_N: Integers, splits_N: Splits | None = None, train_size: int | None = None, seed: int = 0
) -> Indices:
    if splits_N is None:
        splits_N = np.zeros(len(labels_N), np.int8)
    return split_indices(labels_N, splits_N, train_size=train_size, seed=seed)


def counts(labels_N: Integers, indices: Integers) -> list[int]:
    found: list[int] = np.bincount(labels_N[indices], minlength=labels_N.max() + 1).tolist()
    return found


def test_fifth_of_each_class_to_test_on_then_fifth_of_the_rest_to_validate_on() -> None:
    labels_N = labels(100, 50, 200)
    indices = split(labels_N)
    assert counts(labels_N, indices.test) == [20, 10, 40]
    assert counts(labels_N, indices.validation) == [16, 8, 32]
    assert counts(labels_N, indices.train) == [64, 32, 128]


@pytest.mark.parametrize("class_sizes", [(3, 3, 3), (3, 100), (7, 3, 1000, 11), (3,) * 50])
@pytest.mark.parametrize("seed", range(3))
def test_every_image_is_in_one_split_and_every_class_in_each(
    class_sizes: tuple[int, ...], seed: int
) -> None:
    labels_N = labels(*class_sizes)
    indices = split(labels_N, seed=seed)
    np.testing.assert_array_equal(np.sort(np.concatenate(indices)), np.arange(len(labels_N)))
    for part in indices:
        assert min(counts(labels_N, part)) >= 1
        np.testing.assert_array_equal(part, np.sort(part))
        assert part.dtype == np.int64


@pytest.mark.parametrize(
    ("class_sizes", "size", "drawn"),
    [
        ((17, 14, 19), 10, [3, 3, 4]),  # shares of 3.4, 2.8 and 3.8
        ((14, 13, 13, 60), 10, [2, 1, 1, 6]),  # 1.4, 1.3, 1.3 and 6.0
        ((3, 3, 3, 3, 3, 30, 20), 13, [1, 1, 1, 1, 1, 5, 3]),  # 0.6, ..., 6.0 and 4.0
        ((3, 3, 3, 80), 2, [1, 1, 1, 1]),
    ],
)
def test_what_is_left_goes_by_the_largest_remainder(
    class_sizes: tuple[int, ...], size: int, drawn: list[int]
) -> None:
    labels_N = labels(*class_sizes)
    indices = np.arange(len(labels_N))
    sample = stratified_sample(labels_N, indices, size, np.random.default_rng(0))
    assert counts(labels_N, sample) == drawn


def test_same_seed_same_split() -> None:
    labels_N = labels(30, 40)
    assert split(labels_N, seed=1).fingerprint() == split(labels_N, seed=1).fingerprint()
    for one, other in zip(split(labels_N, seed=1), split(labels_N, seed=2), strict=True):
        assert one.tolist() != other.tolist()


def test_fingerprint_tells_which_split_an_image_is_in() -> None:
    one, two = np.array([1]), np.array([2])
    both, none = np.array([1, 2]), np.array([], np.int64)
    assert Indices(one, two, none).fingerprint() != Indices(both, none, none).fingerprint()


@pytest.mark.parametrize("train_size", [4, 10, 33, 64])
def test_train_size_changes_neither_test_nor_proportions(train_size: int) -> None:
    labels_N = labels(60, 20)
    whole, part = split(labels_N), split(labels_N, train_size=train_size)
    np.testing.assert_array_equal(part.test, whole.test)
    assert len(part.train) + len(part.validation) == train_size
    assert set(part.train) | set(part.validation) <= set(whole.train) | set(whole.validation)
    kept = counts(labels_N, np.concatenate([part.train, part.validation]))
    assert abs(kept[0] - 0.75 * train_size) <= 1
    assert min(counts(labels_N, part.train) + counts(labels_N, part.validation)) >= 1


def test_splits_of_the_source_are_kept() -> None:
    labels_N = labels(10, 10, 10)
    splits_N = np.repeat(np.array(list(Split), np.int8), 10)
    indices = split(labels_N, splits_N)
    assert [part.tolist() for part in indices] == [
        list(range(10)), list(range(10, 20)), list(range(20, 30))
    ]  # fmt: skip


def test_with_a_validation_split_train_size_shrinks_train_alone() -> None:
    labels_N = np.tile(np.arange(2), 30)
    splits_N = np.repeat(np.array(list(Split), np.int8), 20)
    indices = split(labels_N, splits_N, train_size=2)
    assert [len(part) for part in indices] == [2, 20, 20]
    assert counts(labels_N, indices.train) == [1, 1]


@pytest.mark.parametrize("train_size", [-1, 0, 3, 65])
def test_train_size_out_of_range(train_size: int) -> None:
    rule = rf"--train-size is {train_size}, but must be from 4 \(2 for each of 2 classes\) to 64 "
    with pytest.raises(DatasetError, match=rule):
        split(labels(60, 20), train_size=train_size)
