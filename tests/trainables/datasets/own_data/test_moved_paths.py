"""Absolute paths from another machine, below the folder that ?images= gives."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trainables.datasets import DatasetError, ImageData, load_dataset, load_unlabelled

Write = Callable[..., Path]
Load = Callable[..., ImageData]
STRUCT = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


@pytest.fixture
def root(tmp_path: Path, class_folders: Write) -> Path:
    class_folders(tmp_path / "images", {"cat": 5, "dog": 5})
    return tmp_path


@pytest.fixture
def load(root: Path, data_dir: Path) -> Load:
    """Writes a line per image into a CSV beside the images' folder, and loads it."""

    def load(form: str, images: str | None = "images") -> ImageData:
        lines = [f"{form.format(c=c, n=n)},{c}\n" for c in ("cat", "dog") for n in range(5)]
        (root / "list.csv").write_text(f"image,label\n{''.join(lines)}")
        options = f"?images={images}" if images else ""
        return load_dataset(f"csv:{root / 'list.csv'}{options}", data_dir=data_dir)

    return load


def refused(load: Load, form: str, images: str | None = "images") -> str:
    with pytest.raises(DatasetError) as raised:
        load(form, images)
    return str(raised.value)


@pytest.mark.parametrize(
    "before",
    [
        *("C:\\Users\\x\\images\\", "d:/x/images/", "\\\\server\\share\\", "~/images/"),
        *("/content/drive/MyDrive/images/", "/kaggle/input/set/", "../input/set/"),
        *("file:///C:/My%20Images/", "s3://bucket/images/", "https://example.org/images/"),
    ],
)
def test_found_by_their_ends(root: Path, load: Load, pixels_of: Callable, before: str) -> None:  # type: ignore[type-arg]
    separator = "\\" if before[-1] == "\\" else "/"
    data = load(f"{before}{{c}}{separator}00{{n}}.png")
    assert data.images_NHWC[7].tolist() == pixels_of(root / "images" / "dog" / "002.png")
    assert data.notes[0].startswith("10 paths from elsewhere are looked up by the longest end")
    assert data.notes[0].endswith(f"00{0}.png is {root}/images/cat/000.png")
    assert "names" not in data.notes[0]


def test_without_the_folder_the_remedy_names_it(load: Load) -> None:
    for before in ("/content/drive/MyDrive/images/", "C:/images/"):
        found = refused(load, f"{before}{{c}}/00{{n}}.png", None)
        assert f"list.csv:2: {before}cat/000.png: a path outside" in found
        assert "?images=FOLDER" in found


def test_ambiguous_ends_are_refused_with_two_candidates(root: Path, load: Load) -> None:
    found = refused(load, "/content/x/00{n}.png")
    one, other = (root / "images" / name / "000.png" for name in ("cat", "dog"))
    assert f"list.csv:2: /content/x/000.png: may be {one} or {other}: name the folder" in found


def test_the_longest_end_decides(root: Path, load: Load, write_image: Write) -> None:
    write_image(root / "images" / "thumbs" / "cat.old" / "000.png", 99)
    data = load("/content/images/{c}/00{n}.png")
    assert data.names_N[0] == "images/cat/000.png (list.csv:2)"


def test_a_missing_file_is_not_one_of_that_name_in_another_class(root: Path, load: Load) -> None:
    (root / "images" / "cat" / "002.png").unlink()
    found = refused(load, "/kaggle/input/set/{c}/00{n}.png")
    place = root / "images" / "cat"
    assert f"cat/002.png: missing file: by the other paths it would be below {place}" in found
    (root / "list.csv").write_text("image,label\n/x/cat/000.png,cat\n/x/cat/002.png,cat\n")
    with pytest.raises(DatasetError, match=r"/x/cat/002.png: missing file: by the other paths"):
        load_dataset(f"csv:{root / 'list.csv'}?images=images", data_dir=root / "data")


def test_two_paths_are_not_one_file(root: Path, load: Load) -> None:
    for n in range(5):
        (root / "images" / "dog" / f"00{n}.png").unlink()
    found = refused(load, "/x/{c}s/00{n}.png")
    assert "as another path would: it can be but one" in found


def test_train_is_not_looked_up_in_test(root: Path, load: Load, write_image: Write) -> None:
    for place, name in enumerate(("cat", "dog")):
        for n in range(5):
            write_image(root / "test" / f"{name}{n}.png", 10 * place + n)
    assert "a path of train, but" in refused(load, "/kaggle/train/{c}{n}.png", "test")


def test_links_are_followed_and_told(root: Path, load: Load) -> None:
    image = root / "images" / "cat" / "000.png"
    image.rename(root / "elsewhere.png")
    image.symlink_to(root / "elsewhere.png")
    other = root / "images" / "cat" / "001.png"
    other.unlink()
    other.symlink_to(root / "none")
    found = refused(load, "/x/{c}/00{n}.png")
    assert "has 1 problem" in found
    assert f"/x/cat/001.png: {other}: missing file" in found


@pytest.mark.parametrize("form", ["text", "struct"])
def test_in_parquet(root: Path, data_dir: Path, pixels_of: Callable, form: str) -> None:  # type: ignore[type-arg]
    paths = [f"/content/set/{c}/00{n}.png" for c in ("cat", "dog") for n in range(5)]
    cells = paths if form == "text" else [{"bytes": None, "path": path} for path in paths]
    column = pa.array(cells, pa.string() if form == "text" else STRUCT)
    table = pa.table({"image": column, "label": ["cat"] * 5 + ["dog"] * 5})
    pq.write_table(table, root / "list.parquet")
    spec = f"parquet:{root / 'list.parquet'}"
    with pytest.raises(DatasetError, match=r"row 0: /content/set/cat/000.png: a path outside"):
        load_dataset(spec, data_dir=data_dir)
    data = load_dataset(f"{spec}?images=images", data_dir=data_dir)
    assert data.images_NHWC[7].tolist() == pixels_of(root / "images" / "dog" / "002.png")
    assert data.notes[0].startswith("10 paths from elsewhere")
    found = load_unlabelled([f"{spec}?images=images"], image_size=8, num_channels=3)
    assert found.names == tuple(paths)
    assert not found.problems


def test_endings_in_parquet(root: Path, data_dir: Path) -> None:
    cells = [f"{c}/00{n}" for c in ("cat", "dog") for n in range(5)]
    table = pa.table({"image": cells, "label": ["cat"] * 5 + ["dog"] * 5})
    pq.write_table(table, root / "list.parquet")
    spec = f"parquet:{root / 'list.parquet'}?images=images&ext=png"
    assert len(load_dataset(spec, data_dir=data_dir).labels_N) == 10
