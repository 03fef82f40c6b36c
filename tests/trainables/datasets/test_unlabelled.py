"""Images to predict, from files, folders and tables that need no labels."""

import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trainables.datasets import DatasetError, load_unlabelled

Write = Callable[..., Path]
Read = Callable[[Path], list[object]]


def write_csv(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_files_and_folders_in_the_order_given(
    tmp_path: Path, write_image: Write, pixels_of: Read
) -> None:
    single = write_image(tmp_path / "single.png", 1)
    for number, name in enumerate(("b.png", "a.png", "deep/c.JPG.png", ".hidden.png")):
        write_image(tmp_path / "folder" / name, number)
    (tmp_path / "folder" / "notes.txt").write_text("no image")
    given = [str(single), str(tmp_path / "folder")]
    found = load_unlabelled(given, image_size=(8, 8), num_channels=3)
    assert found.names == (str(single), "a.png", "b.png", "deep/c.JPG.png")
    assert found.images_NHWC[0].tolist() == pixels_of(single)
    assert found.images_NHWC[1].tolist() == pixels_of(tmp_path / "folder" / "a.png")
    assert not found.problems
    smaller = load_unlabelled(given, image_size=4, num_channels=1)
    assert smaller.images_NHWC.shape == (4, 4, 4, 1)


def test_a_csv_without_labels(tmp_path: Path, class_folders: Write, pixels_of: Read) -> None:
    root = class_folders(tmp_path / "images", {"cat": 2})
    write_csv(root / "list.csv", ["image", "cat/001.png", "cat/000.png"])
    found = load_unlabelled([f"csv:{root / 'list.csv'}"], image_size=8, num_channels=3)
    assert found.names == ("cat/001.png", "cat/000.png")
    assert found.images_NHWC[0].tolist() == pixels_of(root / "cat" / "001.png")


def test_what_cannot_be_decoded_is_told_by_index(tmp_path: Path, class_folders: Write) -> None:
    root = class_folders(tmp_path / "images", {"cat": 1})
    (root / "text.png").write_text("text")
    write_csv(root / "list.csv", ["image", "text.png", "../x.png", "cat/000.png", "none.png", '""'])
    found = load_unlabelled([f"csv:{root / 'list.csv'}"], image_size=8, num_channels=3)
    assert found.sound_indices.tolist() == [2]
    assert found.names[4] == "list.csv:6"
    assert found.problems[0].startswith("not an image")
    assert found.problems[1].startswith("list.csv:3: ../x.png: a path outside")
    assert found.problems[3] == "list.csv:5: none.png: missing file"
    assert found.problems[4] == "list.csv:6: image missing"


@pytest.mark.parametrize("ids", [None, "id"])
def test_parquet_files_without_labels(
    tmp_path: Path, write_image: Write, pixels_of: Read, ids: str | None
) -> None:
    images = [write_image(tmp_path / f"{number}.png", number) for number in range(3)]
    table = {"image": [{"bytes": image.read_bytes(), "path": None} for image in images[:2]]}
    plain = {"image": [images[2].read_bytes()]}
    if ids:
        table[ids], plain[ids] = ["x", "y"], ["z"]  # type: ignore[list-item]
    (tmp_path / "set").mkdir()
    pq.write_table(pa.table(table), tmp_path / "set" / "one.parquet")
    pq.write_table(pa.table(plain), tmp_path / "set" / "two.parquet")
    found = load_unlabelled([f"parquet:{tmp_path / 'set'}"], image_size=8, num_channels=3)
    rows = ("one.parquet:row 0", "one.parquet:row 1", "two.parquet:row 0")
    assert found.names == (("x", "y", "z") if ids else rows)
    assert [image.tolist() for image in found.images_NHWC] == [pixels_of(i) for i in images]


def test_parquet_that_names_files(tmp_path: Path, write_image: Write, pixels_of: Read) -> None:
    image = write_image(tmp_path / "a.png", 1)
    pq.write_table(pa.table({"image": ["a.png", "none.png"]}), tmp_path / "paths.parquet")
    spec = f"parquet:{tmp_path / 'paths.parquet'}"
    found = load_unlabelled([spec], image_size=8, num_channels=3)
    assert found.names == ("a.png", "none.png")
    assert found.images_NHWC[0].tolist() == pixels_of(image)
    assert found.problems == {1: "paths.parquet:row 1: none.png: missing file"}


def test_parquet_without_images_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": [1]}), tmp_path / "numbers.parquet")
    with pytest.raises(DatasetError, match=r"numbers.parquet: column 'image' is int64"):
        load_unlabelled([f"parquet:{tmp_path / 'numbers.parquet'}"], image_size=8, num_channels=3)


def test_nothing_there_or_nothing_to_predict(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"none.png: no such file or folder"):
        load_unlabelled([str(tmp_path / "none.png")], image_size=8, num_channels=3)
    with pytest.raises(DatasetError, match=r"no images to predict"):
        load_unlabelled([str(tmp_path)], image_size=8, num_channels=3)


def test_a_name_that_is_not_utf8_is_printable(tmp_path: Path, write_image: Write) -> None:
    folder = tmp_path / "folder"
    plain = write_image(folder / "plain.png")
    plain.rename(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.png"))
    found = load_unlabelled([str(folder)], image_size=8, num_channels=3)
    assert found.names == ("caf\\udce9.png",)
    assert not found.problems
