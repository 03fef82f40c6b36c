"""parquet:PATH."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trainables.datasets import DatasetError, load_dataset

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


@pytest.fixture
def images(tmp_path: Path, class_folders: Write) -> list[Path]:
    return sorted(class_folders(tmp_path / "images", {"cat": 4, "dog": 4}).rglob("*.png"))


LABELS: list[object] = [*[0] * 4, *[1] * 4]


def test_repository_as_downloaded(
    tmp_path: Path, data_dir: Path, images: list[Path], write_parquet: Write
) -> None:
    folder = tmp_path / "repository"
    write_parquet(folder / "data" / "train-00000-of-00001.parquet", images, LABELS)
    write_parquet(folder / "data" / "my.test-1.parquet", images[3:5], [0, 1])
    write_parquet(folder / "data" / "extra-00000-of-00001.parquet", images, LABELS)
    write_parquet(folder / ".cache" / "train.parquet", images, LABELS)
    data = load_dataset(f"parquet:{folder}", data_dir=data_dir)
    assert len(data.test_indices) == 2
    assert len(data.labels_N) == 10
    left_out = "data/extra-00000-of-00001.parquet is left out: a split that is none of train"
    assert any(note.startswith(left_out) for note in data.notes)


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["data/train-00000-of-00003"], "data/train-00001-of-00003.parquet: missing; download it"),
        (["small/train", "large/train"], "large, small: configurations of one data set"),
        (["train-test"], "train-test.parquet: its name has words of several splits"),
    ],
)
def test_files_that_are_no_whole(
    tmp_path: Path,
    data_dir: Path,
    images: list[Path],
    write_parquet: Write,
    names: list[str],
    problem: str,
) -> None:
    for name in names:
        write_parquet(tmp_path / "set" / f"{name}.parquet", images, LABELS)
    with pytest.raises(DatasetError) as raised:
        load_dataset(f"parquet:{tmp_path / 'set'}", data_dir=data_dir)
    assert f"\n  {problem}" in str(raised.value)


def test_labels_that_pandas_made_fractions(
    tmp_path: Path, data_dir: Path, images: list[Path], write_parquet: Write
) -> None:
    labels: list[object] = [*[10.0] * 4, *[9.0] * 4]
    file = write_parquet(tmp_path / "all.parquet", images, labels)
    data = load_dataset(f"parquet:{file}", data_dir=data_dir)
    assert data.class_names == ("9", "10")
    assert "all.parquet: labels are fractions, such as 1.0, and read as whole numbers" in data.notes
    write_parquet(file, images, [*labels[:6], float("nan"), 0.5])
    with pytest.raises(DatasetError) as raised:
        load_dataset(f"parquet:{file}", data_dir=data_dir)
    assert "row 6: label missing" in str(raised.value)
    assert "row 7: label 0.5 is a fraction" in str(raised.value)


@pytest.mark.parametrize("form", ["struct", "text"])
def test_rows_that_name_files(
    tmp_path: Path, data_dir: Path, images: list[Path], pixels_of: Read, form: str
) -> None:
    paths = [str(image.relative_to(tmp_path)) for image in images]
    cells = [{"bytes": None, "path": path} for path in paths] if form == "struct" else paths
    struct = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    column = pa.array(cells, struct if form == "struct" else pa.string())
    file = tmp_path / "train.parquet"
    pq.write_table(pa.table({"image": column, "label": LABELS}), file)
    data = load_dataset(f"parquet:{file}", data_dir=data_dir)
    assert data.images_NHWC[5].tolist() == pixels_of(images[5])
    images[5].unlink()
    with pytest.raises(DatasetError, match=r"train.parquet:row 5: images/dog/001.png: missing"):
        load_dataset(f"parquet:{file}", data_dir=data_dir)


def test_column_of_splits_in_one_file(tmp_path: Path, data_dir: Path, images: list[Path]) -> None:
    splits = ["train", "train", "train", "test"] * 2
    cells = [image.read_bytes() for image in images]
    table = pa.table({"image": cells, "label": LABELS, "Usage": splits})
    pq.write_table(table, tmp_path / "all.parquet")
    data = load_dataset(f"parquet:{tmp_path / 'all.parquet'}", data_dir=data_dir)
    assert data.test_indices.tolist() == [3, 7]
    assert "column 'Usage' gives the splits (test, train)" in data.notes


def test_hidden_labels_of_a_test_file_are_left_out(
    tmp_path: Path, data_dir: Path, images: list[Path], write_parquet: Write
) -> None:
    folder = tmp_path / "set"
    write_parquet(folder / "train.parquet", images, LABELS, ["cat", "dog"])
    write_parquet(folder / "test.parquet", images[:2], [-1, -1], ["cat", "dog"])
    data = load_dataset(f"parquet:{folder}", data_dir=data_dir)
    assert len(data.labels_N) == 8
    assert "2 test images have no labels and are left out" in data.notes
