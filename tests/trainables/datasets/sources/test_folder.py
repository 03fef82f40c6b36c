"""folder:PATH."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from trainables.datasets import DatasetError, ImageData, load_dataset

Write = Callable[..., Path]
CLASSES = {"cat": 6, "dog": 9}


def load(root: Path, data_dir: Path) -> ImageData:
    return load_dataset(f"folder:{root}", data_dir=data_dir)


def sizes(data: ImageData) -> list[int]:
    return [len(data.train_indices), len(data.validation_indices), len(data.test_indices)]


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


@pytest.mark.parametrize(("two", "is_told"), [("cat", True), ("bird", False)])
def test_folds_above_the_classes_are_told(
    tmp_path: Path, data_dir: Path, class_folders: Write, two: str, is_told: bool
) -> None:
    folders = dict.fromkeys(("fold1/cat", "fold1/dog", f"fold2/{two}", "fold2/dog"), 3)
    data = load(class_folders(tmp_path / "images", folders), data_dir)
    assert data.class_names == ("fold1", "fold2")
    told = "the classes are fold1, fold2; each holds the same folders (cat, dog)"
    assert any(note.startswith(told) for note in data.notes) == is_told


@pytest.mark.parametrize(
    ("train", "test", "predict"),
    [
        ("seg_train/seg_train", "seg_test/seg_test", "seg_pred/seg_pred"),
        ("training_set/training_set", "test_set/test_set", "unlabelled"),
        ("archive/train/train", "archive/test/test", "archive/pred"),
        ("train2017", "val2017", "test2017"),
        ("train", "validation", "test/test"),
    ],
)
def test_layouts_that_archives_leave(
    tmp_path: Path,
    data_dir: Path,
    class_folders: Write,
    write_image: Write,
    train: str,
    test: str,
    predict: str,
) -> None:
    root = tmp_path / "images"
    class_folders(root / train, {"cat": 10, "dog": 10})
    class_folders(root / test, {"cat": 2, "dog": 3})
    write_image(root / predict / "1.png")
    data = load(root, data_dir)
    assert data.class_names == ("cat", "dog")
    assert 5 in sizes(data)
    assert len(data.labels_N) == 25
    assert f"1 file left out: no class's folder in {predict}/" in data.notes


def test_split_folders_below_the_classes(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    root = tmp_path / "images"
    for name in CLASSES:
        class_folders(root / name, {"train": 5, "test": 2})
    data = load(root, data_dir)
    assert data.class_names == ("cat", "dog")
    assert sizes(data) == [8, 2, 4]
    assert any("are the splits" in note for note in data.notes)


@pytest.mark.parametrize(
    ("folders", "problem"),
    [
        (("train", "test"), "test, train: folders of splits that hold no folder per class"),
        (("train_images", "test_images"), "folders of splits that hold no folder per class"),
        (("train_1/a", "train_2/a", "test_1/a"), "train_1, train_2: several folders of train"),
    ],
)
def test_splits_are_never_classes(
    tmp_path: Path,
    data_dir: Path,
    class_folders: Write,
    folders: tuple[str, ...],
    problem: str,
) -> None:
    root = class_folders(tmp_path / "images", dict.fromkeys(folders, 3))
    with pytest.raises(DatasetError) as raised:
        load(root, data_dir)
    assert problem in str(raised.value)


def test_classes_with_folders_inside_are_no_splits(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    root = class_folders(tmp_path / "images", {"steam_train/a": 3, "steam_train/b": 3, "bus/a": 3})
    assert load(root, data_dir).class_names == ("bus", "steam_train")


def test_links_are_followed(tmp_path: Path, data_dir: Path, class_folders: Write) -> None:
    store = class_folders(tmp_path / "store", {"1": 3, "2": 3})
    root = tmp_path / "images"
    (root / "dog").mkdir(parents=True)
    (root / "cat").symlink_to(store / "1")
    for file in (store / "2").iterdir():
        (root / "dog" / file.name).symlink_to(file)
    data = load(root, data_dir)
    assert np.bincount(data.labels_N).tolist() == [3, 3]
    assert any(note.startswith("6 images are links to other folders") for note in data.notes)


@pytest.mark.parametrize("target", ["images/cat", "images", "."])
def test_links_in_a_circle_are_named(
    tmp_path: Path, data_dir: Path, class_folders: Write, target: str
) -> None:
    root = class_folders(tmp_path / "images", {"cat": 3, "dog": 3})
    (root / "cat" / "again").symlink_to(tmp_path / target)
    with pytest.raises(DatasetError, match=r"cat/again: a link to .*, which holds it"):
        load(root, data_dir)


def test_files_beside_the_images_are_left_out_by_ending(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    root = class_folders(tmp_path / "images", CLASSES)
    for number in range(3):
        (root / "cat" / f"{number:03}.txt").write_text("0 0.5 0.5 1 1")
    (root / "dog" / "boxes.XML").write_text("<a/>")
    (root / "dog" / "000.png").rename(root / "dog" / "image.data")
    data = load(root, data_dir)
    assert len(data.labels_N) == 15
    assert data.notes == (
        "3 files left out: .txt is not the ending of an image",
        "1 file left out: .xml is not the ending of an image",
    )


@pytest.mark.parametrize("name", ["bad.png", "bad.heic", "noending", "bad.1"])
def test_a_file_that_is_meant_to_be_an_image_is_not_left_out(
    tmp_path: Path, data_dir: Path, class_folders: Write, name: str
) -> None:
    root = class_folders(tmp_path / "images", CLASSES)
    (root / "cat" / name).write_text("text")
    with pytest.raises(DatasetError, match=f"cat/{name}: not an image"):
        load(root, data_dir)


def test_what_runs_leave_in_the_folder_is_no_class(tmp_path: Path, class_folders: Write) -> None:
    root = class_folders(tmp_path / "images", CLASSES)
    (root / "runs" / "job" / "one").mkdir(parents=True)
    (root / "runs" / "job" / "one" / "lease").touch()
    class_folders(root / "runs" / "job" / "one", {"pictures": 1})
    for data_dir in (root / "data", root / "data"):
        assert load(root, data_dir).class_names == ("cat", "dog")


def test_the_folder_of_data_may_be_the_one_of_the_images(
    tmp_path: Path, class_folders: Write
) -> None:
    root = class_folders(tmp_path / "images", CLASSES)
    assert load(root, root).class_names == load(root, root).class_names == ("cat", "dog")


def test_one_name_in_two_forms_is_one_class(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    root = tmp_path / "images"
    class_folders(root / "train", {"caf\u00e9": 5, "cafe\u0301": 4, "Bar": 3, "bar": 3})
    class_folders(root / "test", {"cafe\u0301": 2})
    data = load(root, data_dir)
    assert data.class_names == ("Bar", "bar", "caf\u00e9")
    assert sum("are one class" in note for note in data.notes) == 1
    assert "classes differ in case alone, and are kept apart: 'Bar', 'bar'" in data.notes
