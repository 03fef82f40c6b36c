"""csv:PATH, to train on."""

from collections.abc import Callable
from pathlib import Path

from trainables.datasets import load_dataset

Write = Callable[..., Path]


def write_csv(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_csv_splits_and_usual_names_of_columns(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    root = class_folders(tmp_path / "images", {"cat": 5, "dog": 5})
    splits = ["train", "Train", "training", "val", "test"]
    lines = [
        f"{number},{name}/{number:03}.png,{splits[number]},{name}"
        for name in ("cat", "dog")
        for number in range(5)
    ]
    write_csv(root / "list.csv", ["id,FileName,Split,Class", *lines])
    data = load_dataset(f"csv:{root / 'list.csv'}", data_dir=data_dir)
    assert data.train_indices.tolist() == [0, 1, 2, 5, 6, 7]
    assert data.validation_indices.tolist() == [3, 8]
    assert data.test_indices.tolist() == [4, 9]


def test_csv_columns_named_in_the_spec(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    root = class_folders(tmp_path / "images", {"cat": 3, "dog": 3})
    lines = [
        f"{name}/{number:03}.png,wrong,{name}" for name in ("cat", "dog") for number in range(3)
    ]
    write_csv(root / "list.csv", ["where,label,kind of pet", *lines])
    spec = f"csv:{root / 'list.csv'}?image=where&label=kind+of+pet"
    assert load_dataset(spec, data_dir=data_dir).class_names == ("cat", "dog")


def test_csv_with_byte_order_mark_quotes_and_blank_lines(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    root = class_folders(tmp_path / "images", {"cat, big": 3, "dog": 3})
    lines = [f'"{name}/{n:03}.png","{name}"\n' for name in ("cat, big", "dog") for n in range(3)]
    text = "image,label\n" + "\n".join(lines)
    (root / "list.csv").write_text(text, encoding="utf-8-sig")
    data = load_dataset(f"csv:{root / 'list.csv'}", data_dir=data_dir)
    assert data.class_names == ("cat, big", "dog")
