"""Columns of true and false that say the split, in CSV and in Parquet files."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trainables.datasets import DatasetError, ImageData, load_dataset

Load = Callable[..., ImageData]
NUMBERS = [(name, n) for name in ("cat", "dog") for n in range(5)]


@pytest.fixture
def root(tmp_path: Path, class_folders: Callable[..., Path]) -> Path:
    return class_folders(tmp_path / "images", {"cat": 5, "dog": 5})


@pytest.fixture
def load(root: Path, data_dir: Path) -> Load:
    """Writes a CSV whose last columns are called so, and hold these cells for image 0 to 4."""

    def load(names: str, cells: list[str], options: str = "") -> ImageData:
        lines = [f"{name}/00{n}.png,{name},{cells[n]}\n" for name, n in NUMBERS]
        (root / "list.csv").write_text(f"image,label,{names}\n{''.join(lines)}")
        return load_dataset(f"csv:{root / 'list.csv'}{options}", data_dir=data_dir)

    return load


@pytest.mark.parametrize(
    "name", ["is_valid", "is_val", "is_validation", "IsValid", "valid", "val_set", "is_dev"]
)
@pytest.mark.parametrize("words", [("True", "False"), ("1", "0"), ("1.0", "0.0"), ("yes", "NO")])
def test_validation(load: Load, name: str, words: tuple[str, str]) -> None:
    yes, no = words
    data = load(name, [no, no, no, no, yes])
    assert data.validation_indices.tolist() == [4, 9]
    note = f"column {name!r} (true: validation) gives the splits; other rows are train"
    assert note in data.notes


@pytest.mark.parametrize("name", ["is_train", "is_training_image", "train_mask"])
def test_what_is_not_of_train_is_of_test(load: Load, name: str) -> None:
    data = load(name, ["1", "1", "1", "1", "0"])
    assert data.test_indices.tolist() == [4, 9]
    assert f"column {name!r} (true: train) gives the splits; other rows are test" in data.notes


def test_several_together(load: Load) -> None:
    data = load("is_valid,isTest", ["0,0", "0,0", "0,0", "1,0", "0,1"])
    assert data.validation_indices.tolist() == [3, 8]
    assert data.test_indices.tolist() == [4, 9]
    data = load("train,val,test", ["1,0,0", "1,0,0", "1,0,0", "0,1,0", "0,0,1"])
    assert data.validation_indices.tolist() == [3, 8]
    assert data.test_indices.tolist() == [4, 9]
    data = load("is_train,is_test", ["1,0", "1,0", "1,0", "0,0", "0,1"])
    assert data.validation_indices.tolist() == [3, 8]


def test_one_of_several_that_is_asked_for(load: Load) -> None:
    cells = ["0,0", "0,0", "0,0", "1,0", "0,1"]
    data = load("is_valid,is_test", cells, "?split=is_valid")
    assert data.validation_indices.tolist() == [3, 8]
    assert data.test_indices.tolist() != [4, 9]


@pytest.mark.parametrize(
    ("names", "cell", "reason"),
    [
        ("is_valid,is_test", "1,1", "is_valid is true and is_test is true, which is a contradict"),
        ("is_valid,is_val", "1,0", "is_valid is true and is_val is false, which is a contradict"),
        ("is_valid,is_test", "2,0", "is_valid is '2', but must be true or false"),
        ("is_valid,is_test", ",0", "is_valid is '', but must be true or false"),
        ("train,val,test", "0,0,0", "none of train, val, test is true, but one must be"),
    ],
)
def test_rows_that_contradict_are_refused(load: Load, names: str, cell: str, reason: str) -> None:
    sound = {"is_valid,is_val": "0,0", "train,val,test": "1,0,0"}.get(names, "0,0")
    others = {"is_valid,is_test": "0,1", "train,val,test": "0,1,0"}.get(names, "1,1")
    third = {"train,val,test": "0,0,1"}.get(names, "0,0")
    with pytest.raises(DatasetError) as raised:
        load(names, [sound, sound, others, third, cell])
    assert f"\n  list.csv:6: {reason}" in str(raised.value)
    assert f"\n  list.csv:11: {reason}" in str(raised.value)


def test_true_in_all_rows_leaves_none_to_train_on(load: Load) -> None:
    with pytest.raises(DatasetError, match=r"column 'is_valid' is true in all rows"):
        load("is_valid", ["True"] * 5)


@pytest.mark.parametrize("cells", [["1"] * 5, ["-1", "1", "1", "1", "-1"], list("01234")])
def test_a_column_that_cannot_be_one_is_named(load: Load, cells: list[str]) -> None:
    notes = load("valid", cells).notes
    assert any(note.startswith("column 'valid' has a name for a split, but is") for note in notes)


def test_words_come_before_flags(load: Load) -> None:
    data = load("split,is_valid", ["train,0", "train,0", "train,0", "train,1", "test,0"])
    assert data.test_indices.tolist() == [4, 9]
    note = "column 'is_valid' says the split too, but is not used; ?split=is_valid takes it"
    assert note in data.notes


def test_beside_columns_of_classes(root: Path, data_dir: Path) -> None:
    lines = [
        f"{name}/00{n}.png,{int(name == 'cat')},{int(name == 'dog')},{int(n == 4)}\n"
        for name, n in NUMBERS
    ]
    (root / "list.csv").write_text(f"image,cat,dog,valid\n{''.join(lines)}")
    data = load_dataset(f"csv:{root / 'list.csv'}", data_dir=data_dir)
    assert data.class_names == ("cat", "dog")
    assert data.validation_indices.tolist() == [4, 9]
    lines = [f"{name}/00{n}.png,{int(n < 3)},{int(n >= 3)}\n" for name, n in NUMBERS]
    (root / "list.csv").write_text(f"image,train,bus\n{''.join(lines)}")
    data = load_dataset(f"csv:{root / 'list.csv'}", data_dir=data_dir)
    assert data.class_names == ("bus", "train")


def write_parquet(root: Path, **columns: object) -> str:
    table = {
        "image": [f"{name}/00{n}.png" for name, n in NUMBERS],
        "label": [name for name, _ in NUMBERS],
        **columns,
    }
    pq.write_table(pa.table(table), root / "list.parquet")
    return f"parquet:{root / 'list.parquet'}"


@pytest.mark.parametrize("no", [False, 0, 0.0])
def test_in_parquet(root: Path, data_dir: Path, no: float) -> None:
    flags = [type(no)(n == 4) for _, n in NUMBERS]
    data = load_dataset(write_parquet(root, is_valid=flags), data_dir=data_dir)
    assert data.validation_indices.tolist() == [4, 9]
    flags[0] = type(no)(True)
    spec = write_parquet(root, is_valid=flags, is_test=[n == 0 for _, n in NUMBERS])
    with pytest.raises(DatasetError, match=r"list.parquet:row 0: is_valid is true and is_test"):
        load_dataset(spec, data_dir=data_dir)


@pytest.mark.parametrize("kind", [pa.large_string(), pa.dictionary(pa.int8(), pa.string())])
def test_words_in_parquet_as_polars_and_pandas_write_them(
    root: Path, data_dir: Path, kind: pa.DataType
) -> None:
    words = pa.array(["test" if n == 4 else "train" for _, n in NUMBERS], pa.string())
    data = load_dataset(write_parquet(root, subset=words.cast(kind)), data_dir=data_dir)
    assert data.test_indices.tolist() == [4, 9]
