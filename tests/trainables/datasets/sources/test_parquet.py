"""parquet:PATH."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trainables.datasets import load_dataset

Write = Callable[..., Path]
Read = Callable[[Path], list[object]]
CLASSES = {"cat": 6, "dog": 9}


def test_parquet_folder_with_splits_and_shards(
    tmp_path: Path, data_dir: Path, class_folders: Write, write_parquet: Write, pixels_of: Read
) -> None:
    images = sorted(class_folders(tmp_path / "images", CLASSES).rglob("*.png"))
    cats, dogs = images[:6], images[6:]
    folder = tmp_path / "parquet"
    shards = {
        "train-00000-of-00002": cats[:4],
        "train-00001-of-00002": dogs[:4],
        "validation-00000-of-00001": [cats[4], dogs[4]],
        "test-00000-of-00001": [cats[5], dogs[5]],
    }
    for name, files in shards.items():
        labels: list[object] = [int(file.parent.name == "dog") for file in files]
        write_parquet(folder / f"{name}.parquet", files, labels, ["cat", "dog"])
    data = load_dataset(f"parquet:{folder}", data_dir=data_dir)
    sizes = [len(data.train_indices), len(data.validation_indices), len(data.test_indices)]
    assert sizes == [8, 2, 2]
    for index, file in zip(data.test_indices, [cats[5], dogs[5]], strict=True):
        assert data.images_NHWC[index].tolist() == pixels_of(file)


@pytest.mark.parametrize("labels", [["b", "a"], [7, 3]])
def test_parquet_without_class_names(
    tmp_path: Path, data_dir: Path, class_folders: Write, write_parquet: Write, labels: list[object]
) -> None:
    images = sorted(class_folders(tmp_path / "images", {"cat": 3, "dog": 3}).rglob("*.png"))
    write_parquet(tmp_path / "all.parquet", images, [label for label in labels for _ in range(3)])
    data = load_dataset(f"parquet:{tmp_path / 'all.parquet'}", data_dir=data_dir)
    assert data.class_names == tuple(sorted(map(str, labels)))
    assert data.labels_N.tolist() == [1, 1, 1, 0, 0, 0]


def test_parquet_of_plain_bytes_in_named_columns(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    images = sorted(class_folders(tmp_path / "images", {"cat": 3, "dog": 3}).rglob("*.png"))
    table = pa.table(
        {"photo": [image.read_bytes() for image in images], "kind": ["x"] * 3 + ["y"] * 3}
    )
    pq.write_table(table, tmp_path / "all.parquet")
    spec = f"parquet:{tmp_path / 'all.parquet'}?image=photo&label=kind"
    assert load_dataset(spec, data_dir=data_dir).class_names == ("x", "y")
