"""Images to predict, from files, folders and tables that need no labels."""

import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trainables.datasets import DatasetError, load_dataset, load_unlabelled

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


def test_a_folder_has_the_images_that_training_finds_there(
    tmp_path: Path, write_image: Write
) -> None:
    for name in ("a.png", ".cache/b.png", "__MACOSX/c.png"):
        write_image(tmp_path / "folder" / name)
    write_image(tmp_path / "elsewhere" / "d.png")
    (tmp_path / "folder" / "linked").symlink_to(tmp_path / "elsewhere")
    found = load_unlabelled([str(tmp_path / "folder")], image_size=8, num_channels=3)
    assert found.names == ("a.png", "linked/d.png")
    (tmp_path / "folder" / "circle").symlink_to(tmp_path / "folder")
    with pytest.raises(DatasetError, match=r"circle: a link to .* remove the link"):
        load_unlabelled([str(tmp_path / "folder")], image_size=8, num_channels=3)


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


PIXELS = [[(7 * n + k) % 256 for k in range(16)] for n in range(4)]
NAMES = ",".join(f"pixel{k}" for k in range(16))


@pytest.mark.parametrize(
    ("header", "before", "separator", "names"),
    [
        (NAMES, ["", "", "", ""], ",", "0123"),
        (f"label,{NAMES}", ["3,", "3,", "3,", "3,"], ",", "0123"),
        (f"id,{NAMES}", ["7,", "5,", "9,", "8,"], ",", "7598"),
        (f"image_id,label,{NAMES}", ["a,1,", "b,1,", "c,1,", "d,1,"], ",", "abcd"),
        (f",{NAMES}", ["0,", "1,", "2,", "3,"], ",", "0123"),
        (f"Unnamed: 0,{NAMES}", ["4,", "5,", "6,", "7,"], ",", "0123"),
        ("pixels", ["", "", "", ""], " ", "0123"),
        ("id,pixels", ["a,", "b,", "c,", "d,"], " ", "abcd"),
        ("emotion,pixels,Usage", ["0,", "0,", "0,", "0,"], " ", "0123"),
        (None, ["", "", "", ""], ",", "0123"),
        (None, ["1,", "2,", "3,", "4,"], ",", "0123"),
    ],
)
def test_a_csv_of_pixels(
    tmp_path: Path, header: str | None, before: list[str], separator: str, names: str
) -> None:
    rows = [b + separator.join(map(str, row)) for b, row in zip(before, PIXELS, strict=True)]
    if header is None:  # equal cells tell that the first line is no header
        rows = [row.replace("15", "14") for row in rows]
    write_csv(tmp_path / "test.csv", ([header] if header else []) + rows)
    found = load_unlabelled([f"csv:{tmp_path / 'test.csv'}"], image_size=4, num_channels=1)
    assert found.names == tuple(names)
    assert found.is_numbered == (names == "0123")
    assert not found.problems
    wanted = [[14 if header is None and v == 15 else v for v in row] for row in PIXELS]
    assert found.images_NHWC.reshape(4, 16).tolist() == wanted


def test_wrong_pixels_keep_their_place(tmp_path: Path) -> None:
    rows = [",".join(map(str, row)) for row in PIXELS]
    write_csv(tmp_path / "test.csv", [NAMES, rows[0], "1,2,3", rows[2].replace("14", "x"), rows[3]])
    spec = f"csv:{tmp_path / 'test.csv'}"
    found = load_unlabelled([spec, spec], image_size=4, num_channels=1)
    assert found.names[:5] == (*(f"test.csv:row {n}" for n in range(4)), "test.csv:row 0")
    assert sorted(found.problems) == [1, 2, 5, 6]
    assert found.problems[1] == "test.csv:3: 3 pixels, but the header has 16"
    assert found.images_NHWC[7].ravel().tolist() == PIXELS[3]


def test_numbers_that_may_be_a_label_and_pixels_are_refused(tmp_path: Path) -> None:
    write_csv(tmp_path / "test.csv", [",".join(["7"] * 49)])
    with pytest.raises(DatasetError, match=r"49 numbers without a header may be pixels, or a lab"):
        load_unlabelled([f"csv:{tmp_path / 'test.csv'}"], image_size=4, num_channels=1)


@pytest.mark.parametrize("given", ["csv:none", "parquet:none", "csv:", "csv:{file}?imgae=x"])
def test_errors_name_what_was_given(tmp_path: Path, given: str) -> None:
    write_csv(tmp_path / "list.csv", ["image"])
    given = given.format(file=tmp_path / "list.csv")
    with pytest.raises(DatasetError) as raised:
        load_unlabelled([given], image_size=4, num_channels=1)
    assert str(raised.value).startswith(f"{given}: ")
    assert "--dataset" not in str(raised.value)
    assert str(raised.value).endswith("as csv:PATH or as parquet:PATH.")


def test_a_parquet_column_of_bytes_and_of_paths(
    tmp_path: Path, write_image: Write, pixels_of: Read
) -> None:
    images = [write_image(tmp_path / f"{number}.png", number) for number in range(6)]
    cells = [
        {"bytes": image.read_bytes() if n in (0, 1, 4) else None, "path": image.name}
        for n, image in enumerate(images)
    ]
    cells[3]["bytes"] = b""
    table = pa.table({"image": cells, "label": list("ababab")})
    for size in (1, 2, 6):
        pq.write_table(table, tmp_path / "mixed.parquet", row_group_size=size)
        spec = f"parquet:{tmp_path / 'mixed.parquet'}"
        found = load_unlabelled([spec], image_size=8, num_channels=3)
        assert [image.tolist() for image in found.images_NHWC] == [pixels_of(i) for i in images]
        data = load_dataset(spec, data_dir=tmp_path / f"data-{size}")
        assert [image.tolist() for image in data.images_NHWC] == [pixels_of(i) for i in images]


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
