"""Bad data is refused, all of it at once, each problem with its file and line."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from trainables.datasets import DatasetError, load_dataset

Write = Callable[..., Path]


def message(spec: str, data_dir: Path, **options: int) -> str:
    with pytest.raises(DatasetError) as raised:
        load_dataset(spec, data_dir=data_dir, **options)
    assert not list((data_dir / "decoded").glob("*")), "a refused set must leave no cache"
    return str(raised.value)


def truncated(path: Path) -> None:
    Image.effect_noise((64, 64), 50).convert("RGB").save(path, "JPEG")
    path.write_bytes(path.read_bytes()[:-400])


def too_large(path: Path) -> None:
    Image.new("1", (10_000, 5_001)).save(path, "PNG")


def link_to_itself(path: Path) -> None:
    path.symlink_to(path)


def pipe(path: Path) -> None:
    os.mkfifo(path)


BAD_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "text": (lambda path: path.write_text("text"), "not an image in a format that is read"),
    "empty": (lambda path: path.touch(), "empty"),
    "truncated": (truncated, "image file is truncated"),
    "too large": (too_large, "more than 50 megapixels: 10,000 x 5,001"),
    "link to itself": (link_to_itself, "missing file"),
    "dangling link": (lambda path: path.symlink_to(path.parent / "none"), "missing file"),
    "pipe, which would block": (pipe, "missing file"),
}


@pytest.mark.parametrize(("spoil", "reason"), BAD_FILES.values(), ids=BAD_FILES)
def test_bad_file_in_a_class_folder(
    tmp_path: Path,
    data_dir: Path,
    class_folders: Write,
    spoil: Callable[[Path], object],
    reason: str,
) -> None:
    root = class_folders(tmp_path / "images", {"cat": 4, "dog": 4})
    spoil(root / "cat" / "bad.jpg")
    found = message(f"folder:{root}", data_dir, image_size=8)
    assert "has 1 problem:" in found
    assert f"  cat/bad.jpg: {reason}" in found


@pytest.mark.parametrize(("spoil", "reason"), BAD_FILES.values(), ids=BAD_FILES)
def test_bad_file_that_a_csv_names(
    tmp_path: Path,
    data_dir: Path,
    class_folders: Write,
    spoil: Callable[[Path], object],
    reason: str,
) -> None:
    root = class_folders(tmp_path / "images", {"cat": 4, "dog": 4})
    spoil(root / "cat" / "bad.jpg")
    files = sorted(path for path in root.rglob("*") if path.suffix)
    lines = [f"{file.relative_to(root)},{file.parent.name}\n" for file in files]
    (root / "list.csv").write_text("".join(["image,label\n", *lines]))
    found = message(f"csv:{root / 'list.csv'}", data_dir, image_size=8)
    assert "has 1 problem:" in found
    assert "  list.csv:6: " in found
    assert reason in found


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("none.png,cat,train", "none.png: missing file"),
        ("../secret.png,cat,train", "../secret.png: a path outside {root}: "),
        ("/etc/hostname,cat,train", "/etc/hostname: a path outside {root}: "),
        ("C:\\x\\a.png,cat,train", "C:\\x\\a.png: a path outside {root}: "),
        ("cat/000.png,big, cat,train", "4 cells, but the header has 3: put a cell that holds ','"),
        ("cat,cat,train", "cat: a folder where a file is expected"),
        (f"{'x' * 5000},cat,train", f"{'x' * 5000}: missing file"),
        (",cat,train", "image missing"),
        ("cat/000.png,,train", "label missing"),
        ("cat/000.png, ,train", "label missing"),
        ("cat/000.png", "label missing"),
        ("cat/000.png,cow,val", "class 'cow' is not one that the images to train on have"),
        ("cat/000.png,cow,test", "class 'cow' is not one that the images to train on have"),
        ("cat/000.png,cat,tset", "split 'tset', but must be train, val or test"),
        ("cat/000.png,cat,", "split '', but must be train, val or test"),
    ],
)
def test_bad_line_of_a_csv(
    tmp_path: Path, data_dir: Path, class_folders: Write, line: str, reason: str
) -> None:
    root = class_folders(tmp_path / "images", {"cat": 4, "dog": 4})
    Image.new("RGB", (8, 8)).save(tmp_path / "secret.png")
    good = [f"{name}/00{n}.png,{name},train\n" for name in ("cat", "dog") for n in range(4)]
    text = "".join(["image,label,split\n", *good[:4], "\n", f"{line}\n", *good[4:]])
    (root / "list.csv").write_text(text)
    found = message(f"csv:{root / 'list.csv'}", data_dir)
    assert f"\n  list.csv:7: {reason.format(root=root)}" in found


def test_line_is_that_of_the_file_where_a_cell_spans_lines(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    root = class_folders(tmp_path / "images", {"cat": 4, "dog": 4})
    text = 'image,label\ncat/000.png,"a\nb\nc"\n"none\n.png",cat\ngone.png,cat\n'
    (root / "list.csv").write_text(text)
    found = message(f"csv:{root / 'list.csv'}", data_dir)
    assert "\n  list.csv:5: none" in found
    assert "\n  list.csv:7: gone.png: missing file\n" in found


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"image,kind\na.png,cat\n", "no label column"),
        (b"image,kind\na.png,cat\n", "A file without labels is for prediction only"),
        (b"picture,label\na.png,cat\n", "no image column"),
        (b"", "no image column"),
        (b"image,label\n\xff.png,cat\n", "not UTF-8"),
        (b'image,label\n"a.png,cat\n' + b"b.png,cat\n" * 20_000, "list.csv:2: a cell begins with"),
        (b"image,label\n" + b"x" * (2**24 + 1) + b",cat\n", "16,777,216 characters; close the"),
        (b"image,label\n", "no images"),
    ],
)
def test_unusable_csv(tmp_path: Path, data_dir: Path, content: bytes, reason: str) -> None:
    (tmp_path / "list.csv").write_bytes(content)
    found = message(f"csv:{tmp_path / 'list.csv'}", data_dir)
    assert reason in found
    assert "list.csv" in found


@pytest.mark.parametrize(
    ("label", "content", "reason"),
    [
        (2, None, "label 2 is not the index of one of 2 class names"),
        (-1, None, "label -1 is not the index of one of 2 class names"),
        (None, None, "label missing"),
        (0, b"text", "not an image in a format that is read"),
        (0, b"", "empty"),
    ],
)
def test_bad_row_of_a_parquet_file(
    tmp_path: Path,
    data_dir: Path,
    class_folders: Write,
    write_parquet: Write,
    label: int | None,
    content: bytes | None,
    reason: str,
) -> None:
    root = class_folders(tmp_path / "images", {"cat": 4, "dog": 4})
    bad = root / "bad.png"
    bad.write_bytes((root / "cat" / "000.png").read_bytes() if content is None else content)
    images = [*sorted(root.glob("*/*.png")), bad]
    path = write_parquet(tmp_path / "all.parquet", images, [0] * 4 + [1] * 4 + [label], ["a", "b"])
    found = message(f"parquet:{path}", data_dir)
    assert "has 1 problem:" in found
    assert f"\n  all.parquet:row 8: {reason}" in found


def test_parquet_row_without_an_image(tmp_path: Path, data_dir: Path, write_image: Write) -> None:
    image = {"bytes": write_image(tmp_path / "a.png").read_bytes()}
    images = [image, None, {"bytes": None}, image, image, image]
    pq.write_table(pa.table({"image": images, "label": list("aaabbb")}), tmp_path / "x.parquet")
    found = message(f"parquet:{tmp_path / 'x.parquet'}", data_dir)
    assert "x.parquet:row 1: empty" in found
    assert "x.parquet:row 2: empty" in found


def test_unusable_parquet_files(
    tmp_path: Path, data_dir: Path, class_folders: Write, write_parquet: Write
) -> None:
    images = sorted(class_folders(tmp_path / "images", {"cat": 3, "dog": 3}).rglob("*.png"))
    folder = tmp_path / "parquet"
    write_parquet(folder / "train.parquet", images, ["cat"] * 3 + ["dog"] * 3)
    write_parquet(folder / "val.parquet", images[:1], ["cow"])
    write_parquet(folder / "extra.parquet", images, ["cat"] * 6)
    (folder / "test-0.parquet").write_text("text")
    pq.write_table(pa.table({"label": ["cat"]}), folder / "test-1.parquet")
    pq.write_table(pa.table({"image": [1.5], "label": ["cat"]}), folder / "test-2.parquet")
    found = message(f"parquet:{folder}", data_dir)
    for problem in (
        "val.parquet:row 0: class 'cow' is not one that the images to train on have",
        "extra.parquet: its name has none of train, validation and test",
        "test-0.parquet: not a Parquet file",
        "test-1.parquet: no image column",
        "test-2.parquet: column 'image' is double, but must be binary",
    ):
        assert f"\n  {problem}" in found


def test_folder_without_parquet_files(tmp_path: Path, data_dir: Path) -> None:
    assert "no images" in message(f"parquet:{tmp_path}", data_dir)


def test_unexpected_folders_and_files(
    tmp_path: Path, data_dir: Path, class_folders: Write, write_image: Write
) -> None:
    root = tmp_path / "images"
    class_folders(root / "train", {"cat": 3, "dog": 3})
    class_folders(root / "val", {"cow": 2})
    class_folders(root / "old", {"cat": 2})
    write_image(root / "loose.png")
    write_image(root / "train" / "loose.png")
    (root / "train" / "cat" / "page.jpg").write_text("text")
    found = message(f"folder:{root}", data_dir)
    assert "has 5 problems:" in found
    for problem in (
        "val/cow: class 'cow' is not one that the images to train on have",
        "old: a folder that is none of train, val and test",
        "loose.png: an image outside the folder of a class",
        "train/loose.png: an image outside the folder of a class",
        "train/cat/page.jpg: not an image",
    ):
        assert f"\n  {problem}" in found


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ({}, "no images"),
        ({"cat": 5}, "at least 2 classes to train on are needed, but there is only 'cat'"),
        ({"cat": 2, "dog": 3}, "class 'cat': 2 images to train on, but at least 3 are needed"),
        ({"cat": 0, "dog": 3, "fox": 3}, "class 'cat': 0 images to train on, but at least 3"),
    ],
)
def test_too_few(
    tmp_path: Path, data_dir: Path, class_folders: Write, counts: dict[str, int], reason: str
) -> None:
    root = tmp_path / "images"
    for name in counts:
        (root / name).mkdir(parents=True)
    root.mkdir(exist_ok=True)
    class_folders(root, counts)
    found = message(f"folder:{root}", data_dir)
    assert "has 1 problem:" in found
    assert f"\n  {reason}" in found


def test_images_that_differ_in_size(
    tmp_path: Path, data_dir: Path, class_folders: Write, write_image: Write
) -> None:
    root = class_folders(tmp_path / "images", {"cat": 4, "dog": 4})
    write_image(root / "cat" / "small.png", width=3, height=5)
    write_image(root / "dog" / "wide.png", width=40, height=20)
    found = message(f"folder:{root}", data_dir)
    assert "has 1 problem:" in found
    assert (
        "from 3 x 5 (cat/small.png) to 40 x 20 (dog/wide.png): give --image-size, for instance 32"
        in found
    )
    assert load_dataset(f"folder:{root}", data_dir=data_dir, image_size=8).image_size == (8, 8)


def test_all_problems_at_once(
    tmp_path: Path, data_dir: Path, class_folders: Write, write_image: Write
) -> None:
    root = class_folders(tmp_path / "images", {"cat": 4, "dog": 1})
    write_image(root / "cat" / "wide.png", width=40)
    truncated(root / "cat" / "truncated.jpg")
    (root / "cat" / "link.png").symlink_to(root / "none.png")
    found = message(f"folder:{root}", data_dir)
    assert found.startswith(f"the data of --dataset 'folder:{root}' has 4 problems:\n")
    for location in ("class 'dog'", "images differ in size", "cat/truncated.jpg", "cat/link.png"):
        assert f"\n  {location}" in found
    assert found.splitlines()[-1].startswith("Correct or remove")


def test_ten_problems_are_listed_and_a_file_has_them_all(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    root = class_folders(tmp_path / "images", {"cat": 4, "dog": 4})
    for number in range(60):
        (root / "cat" / f"text-{number:02}.png").write_text("text")
    found = message(f"folder:{root}", data_dir)
    assert "has 60 problems:" in found
    assert "cat/text-09.png" in found
    assert "cat/text-10.png" not in found
    told = re.search(r"\n  \.\.\. and 50 more \(all in (.*)\)\n", found)
    assert told is not None
    whole = Path(told[1])
    assert whole.parent == data_dir / "overview"
    lines = whole.read_text().splitlines()
    assert [line.partition(":")[0] for line in lines] == [f"cat/text-{n:02}.png" for n in range(60)]
    message(f"folder:{root}", data_dir)
    assert list(whole.parent.iterdir()) == [whole], "the same list is the same file"


def test_a_list_of_names_that_are_not_utf_8_is_written(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    root = class_folders(tmp_path / "images", {"cat": 4, "dog": 4})
    for number in range(11):
        Path(os.fsdecode(b"%s/cat/\xff-%d.png" % (os.fsencode(root), number))).touch()
    assert "has 11 problems:" in message(f"folder:{root}", data_dir)
    [whole] = (data_dir / "overview").iterdir()
    assert whole.read_text().startswith("cat/\\udcff-0.png: empty")
