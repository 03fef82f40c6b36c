"""What images are called, and what of that is kept."""

import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trainables.datasets import DatasetError, load_dataset

Write = Callable[..., Path]


def test_a_folders_images_are_named_by_their_paths(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    root = class_folders(tmp_path / "images", {"cat": 3, "dog": 3})
    for _ in range(2):  # decoded, and read back
        data = load_dataset(f"folder:{root}", data_dir=data_dir)
        names = [f"{name}/{number:03}.png" for name in ("cat", "dog") for number in range(3)]
        assert data.names_N.tolist() == names


def test_a_tables_images_are_named_by_file_and_line(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    root = class_folders(tmp_path / "images", {"cat": 3, "dog": 3})
    lines = [f"{name}/{n:03}.png,{name}" for name in ("cat", "dog") for n in range(3)]
    (root / "list.csv").write_text("\n".join(["image,label", *lines]))
    data = load_dataset(f"csv:{root / 'list.csv'}", data_dir=data_dir)
    assert data.names_N[0] == "cat/000.png (list.csv:2)"
    assert data.names_N[5] == "dog/002.png (list.csv:7)"


def test_images_in_a_table_are_named_by_row(
    tmp_path: Path, data_dir: Path, write_image: Write
) -> None:
    images = [write_image(tmp_path / f"{n}.png", n).read_bytes() for n in range(6)]
    table = pa.table({"image": images, "label": ["cat", "dog"] * 3})
    pq.write_table(table, tmp_path / "set.parquet")
    data = load_dataset(f"parquet:{tmp_path / 'set.parquet'}", data_dir=data_dir)
    assert data.names_N[4] == "set.parquet:row 4"


def test_images_of_a_published_set_are_numbered(data_dir: Path) -> None:
    data = load_dataset("digits", data_dir=data_dir)
    assert [data.names_N[0], data.names_N[-1]] == ["image 0", "image 1796"]


def test_names_are_no_part_of_the_fingerprint(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    root = class_folders(tmp_path / "images", {"cat": 3, "dog": 3})
    before = load_dataset(f"folder:{root}", data_dir=data_dir)
    (root / "cat" / "000.png").rename(root / "cat" / "0000.png")
    after = load_dataset(f"folder:{root}", data_dir=data_dir)
    assert after.names_N[0] == "cat/0000.png"
    assert after.fingerprint == before.fingerprint


def test_a_file_whose_name_is_not_utf8_has_a_name_that_can_be_written(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    root = class_folders(tmp_path / "images", {"cat": 3, "dog": 3})
    (root / "cat" / "000.png").rename(os.fsdecode(os.fsencode(root / "cat") + b"/0\xe9.png"))
    data = load_dataset(f"folder:{root}", data_dir=data_dir)
    assert "cat/0\\udce9.png" in data.names_N


def test_a_class_whose_name_is_not_utf8_is_refused(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    root = class_folders(tmp_path / "images", {"cat": 3, "dog": 3})
    (root / "dog").rename(os.fsdecode(os.fsencode(root) + b"/caf\xe9"))
    with pytest.raises(DatasetError, match=r"class 'caf.udce9': its name is not UTF-8: rename it"):
        load_dataset(f"folder:{root}", data_dir=data_dir)
