"""Tables as spreadsheets, pandas and other systems write them."""

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from trainables.datasets import DatasetError, ImageData, load_dataset

Write = Callable[..., Path]
LINES = [f"{name}/00{n}.png,{name}" for name in ("cat", "dog") for n in range(5)]
TEXT = "\n".join(["image,label", *LINES]) + "\n"


@pytest.fixture
def root(tmp_path: Path, class_folders: Write) -> Path:
    return class_folders(tmp_path / "images", {"cat": 5, "dog": 5})


@pytest.fixture
def load(root: Path, data_dir: Path) -> Callable[[bytes], ImageData]:
    def load(content: bytes) -> ImageData:
        (root / "list.csv").write_bytes(content)
        return load_dataset(f"csv:{root / 'list.csv'}", data_dir=data_dir)

    return load


Load = Callable[[bytes], ImageData]


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode("utf-16"),
        TEXT.replace("\n", "\r\n").encode("utf-8-sig"),
        TEXT.replace("\n", "\r").encode(),
        b"sep=;\n" + TEXT.replace(",", ";").encode(),
        b"\n\n" + TEXT.encode(),
        TEXT.encode() + b",\n,\n",
        TEXT.replace("\n", ",\n").encode(),
        TEXT.replace("image,label", "fname,labels").encode(),
    ],
    ids=["UTF-16", "CRLF", "CR", "sep", "blank first", "blank last", "trailing", "fastai"],
)
def test_forms_of_the_same_table(load: Load, content: bytes) -> None:
    data = load(content)
    assert data.class_names == ("cat", "dog")
    assert data.labels_N.tolist() == [0] * 5 + [1] * 5


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (TEXT.encode("utf-16-le"), "list.csv: holds NUL bytes, and is no text in UTF-8"),
        (TEXT.replace("cat\n", "chât\n").encode("latin-1"), "list.csv: not UTF-8 text"),
        (TEXT.replace("label", "label,label").encode(), "2 columns are called 'label': rename"),
        (TEXT.encode() + b"a%00.png,cat\n", "list.csv:12: a%00.png: missing file"),
        (TEXT.encode() + b"%2e%2e/x.png,cat\n", "list.csv:12: %2e%2e/x.png: missing file"),
        (TEXT.encode() + b"cat/000.png,nan\n", "list.csv:12: label missing"),
        (TEXT.encode() + b"cat/000.png,<NA>\n", "list.csv:12: label missing"),
    ],
)
def test_what_is_refused(load: Load, root: Path, content: bytes, reason: str) -> None:
    (root / "cat" / "000.png").rename(root.parent / "x.png")
    (root / "cat" / "000.png").write_bytes((root.parent / "x.png").read_bytes())
    with pytest.raises(DatasetError) as raised:
        load(content)
    assert reason in str(raised.value)


def test_words_for_nothing_beside_numbers_are_no_labels(load: Load) -> None:
    numbered = TEXT.replace(",cat", ",1.0").replace(",dog", ",0.0")
    with pytest.raises(DatasetError, match=r"list.csv:12: label missing"):
        load(f"{numbered}cat/000.png,None\n".encode())
    data = load(TEXT.replace(",cat", ",None").encode())
    assert data.class_names == ("None", "dog")


def test_numbers_written_in_two_ways_are_told(load: Load) -> None:
    lines = [line.replace(",cat", ",01").replace(",dog", ",2") for line in LINES]
    lines += [f"dog/00{n}.png,1" for n in range(3)]
    data = load("\n".join(["image,label", *lines]).encode())
    assert "classes are one number, and are kept apart: '01', '1'" in data.notes


@pytest.mark.parametrize(
    ("folder", "written", "note"),
    [
        ("my {}", "my%20{}/00{}.png", "with the characters that %20 and the like stand for"),
        ("my%20{}", "my%20{}/00{}.png", None),
        ("{}", "{}/00{}.PNG", "with the ending in small or capital letters"),
        ("{}e\u0301", "{}\xe9/00{}.png", "in another Unicode form of their letters"),
    ],
)
def test_other_spellings_of_paths(
    tmp_path: Path, data_dir: Path, class_folders: Write, folder: str, written: str, note: str
) -> None:
    assert unicodedata.normalize("NFD", "\xe9") == "e\u0301"
    root = class_folders(tmp_path / "set", {folder.format(name): 5 for name in ("cat", "dog")})
    lines = [f"{written.format(c, n)},{c}" for c in ("cat", "dog") for n in range(5)]
    (root / "list.csv").write_text("\n".join(["image,label", *lines]), encoding="utf-8")
    data = load_dataset(f"csv:{root / 'list.csv'}", data_dir=data_dir)
    assert len(data.labels_N) == 10
    assert data.notes == ((f"10 paths are read {note}",) if note else ())


def test_columns_of_pixels_are_ordered_by_their_numbers(load: Load) -> None:
    names = sorted(f"pixel{k}" for k in range(16))
    values = [int(name.removeprefix("pixel")) for name in names]
    rows = [f"{n % 2},{','.join(str(v + 10 * n) for v in values)}" for n in range(6)]
    data = load("\n".join([f"label,{','.join(names)}", *rows]).encode())
    assert data.images_NHWC[2].ravel().tolist() == list(range(20, 36))


def test_rows_with_fewer_pixels_and_columns_of_no_square(load: Load) -> None:
    header = ",".join(f"pixel{k}" for k in range(64))
    rows = [f"{n % 2},{','.join('7' * 64)}" for n in range(6)]
    short = f"1,{','.join('7' * 16)}"
    with pytest.raises(DatasetError, match=r"list.csv:8: 16 pixels, but the header has 64"):
        load("\n".join([f"label,{header}", *rows, short]).encode())
    with pytest.raises(DatasetError, match=r"63 columns of pixels, from 'pixel0' to 'pixel62'"):
        load("\n".join([f"label,{header.removesuffix(',pixel63')}", *rows]).encode())
