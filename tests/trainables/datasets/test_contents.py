"""What a source gives is checked before it is written: a source may be anybody's."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainables.datasets import DatasetError
from trainables.datasets.contents import read_contents, write_contents
from trainables.datasets.source import Arrays, Item, Listing

GIVEN = Arrays(
    images_NHWC=np.random.default_rng(0).integers(0, 256, (8, 4, 4, 3), dtype=np.uint8),
    labels_N=np.arange(8) % 2,
    splits_N=np.zeros(8, np.int8),
    class_names=("cat", "dog"),
)


def write(given: Listing | Arrays, folder: Path) -> None:
    lists = folder / "lists"
    write_contents(given, folder, source="made", root=folder, image_size=None, lists=lists)


def test_other_whole_numbers_are_converted(tmp_path: Path) -> None:
    narrow: dict[str, Any] = {
        "labels_N": GIVEN.labels_N.astype(np.uint8),
        "splits_N": GIVEN.splits_N.astype(np.int64),
    }
    for name, given in (("a", GIVEN), ("b", replace(GIVEN, **narrow))):
        (tmp_path / name).mkdir()
        write(given, tmp_path / name)
    first, second = read_contents(tmp_path / "a"), read_contents(tmp_path / "b")
    assert first is not None
    assert second is not None
    assert first.fingerprint == second.fingerprint
    assert second.labels_N.dtype == np.int64
    assert second.splits_N.dtype == np.int8


@pytest.mark.parametrize(
    ("name", "values", "problem"),
    [
        ("images_NHWC", np.zeros((8, 4, 4, 3)), "images are float64 of shape (8, 4, 4, 3), but"),
        ("images_NHWC", np.zeros((8, 4, 4), np.uint8), "must be uint8 of shape (N, H, W, 1) or"),
        ("images_NHWC", np.zeros((8, 4, 4, 4), np.uint8), "must be uint8 of shape (N, H, W, 1) or"),
        ("labels_N", np.zeros(7, int), "labels have shape (7,), but must have (8,)"),
        ("labels_N", np.arange(8), "labels must be whole numbers, from 0 to 1"),
        ("labels_N", np.full(8, -1), "labels must be whole numbers, from 0 to 1"),
        ("labels_N", np.zeros(8), "labels must be whole numbers, from 0 to 1"),
        ("labels_N", np.array(["cat"] * 8), "labels must be whole numbers, from 0 to 1"),
        ("splits_N", np.full(8, 3), "splits must be whole numbers, from 0 to 2"),
    ],
)
def test_arrays_of_another_form_are_refused(
    tmp_path: Path, name: str, values: object, problem: str
) -> None:
    wrong: dict[str, Any] = {name: values}
    with pytest.raises(DatasetError) as raised:
        write(replace(GIVEN, **wrong), tmp_path)
    assert str(raised.value).startswith("the data of --dataset 'made' has 1 problem:\n")
    assert problem in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_a_listing_that_hides_a_missing_label_is_refused(tmp_path: Path) -> None:
    items = [Item("a", 0), Item("b", 1), Item("c", None)] * 3
    listing = Listing(items=items, encoded=[b""] * 9, class_names=("cat", "dog"))
    with pytest.raises(DatasetError, match="labels must be whole numbers, from 0 to 1"):
        write(listing, tmp_path)
