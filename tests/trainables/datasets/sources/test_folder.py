"""folder:PATH."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from trainables.datasets import load_dataset

Write = Callable[..., Path]
CLASSES = {"cat": 6, "dog": 9}


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [("train", "val", "test"), ("Training", "valid", "Test"), ("TRAIN", "validation", "testing")],
)
def test_split_folders(
    tmp_path: Path, data_dir: Path, class_folders: Write, train: str, validation: str, test: str
) -> None:
    root = tmp_path / "images"
    for place, name in enumerate((train, validation, test)):
        class_folders(root / name, {"cat": 5 - place, "dog": 4 - place})
    data = load_dataset(f"folder:{root}", data_dir=data_dir)
    sizes = [len(data.train_indices), len(data.validation_indices), len(data.test_indices)]
    assert sizes == [9, 7, 5]
    assert data.class_names == ("cat", "dog")


def test_test_folder_alone_is_kept_and_validation_taken_from_train(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    root = tmp_path / "images"
    class_folders(root / "test", {"cat": 2, "dog": 2})
    class_folders(root / "train", {"cat": 5, "dog": 5})
    data = load_dataset(f"folder:{root}", data_dir=data_dir)
    assert data.test_indices.tolist() == [0, 1, 2, 3]
    assert len(data.validation_indices) == 2


def test_class_may_be_named_as_a_split(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    root = class_folders(tmp_path / "images", {"bus": 3, "train": 3})
    assert load_dataset(f"folder:{root}", data_dir=data_dir).class_names == ("bus", "train")


def test_classes_that_are_numbers_are_in_their_order(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    root = class_folders(tmp_path / "images", {"10": 3, "9": 3, "1": 3})
    assert load_dataset(f"folder:{root}", data_dir=data_dir).class_names == ("1", "9", "10")


def test_files_that_are_no_matter_are_ignored(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    root = class_folders(tmp_path / "images", CLASSES)
    for name in (".DS_Store", "cat/.hidden.png", "cat/Thumbs.db", "dog/desktop.ini", "README.txt"):
        (root / name).write_text("not an image")
    (root / ".git").mkdir()
    (root / ".git" / "config").touch()
    assert len(load_dataset(f"folder:{root}", data_dir=data_dir).labels_N) == 15


def test_folders_within_a_class_belong_to_it(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    root = class_folders(tmp_path / "images", {"cat/indoors": 3, "cat/outdoors": 2, "dog": 3})
    data = load_dataset(f"folder:{root}", data_dir=data_dir)
    assert data.class_names == ("cat", "dog")
    assert np.bincount(data.labels_N).tolist() == [5, 3]
