"""csv:PATH, to train on."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from trainables.datasets import DatasetError, ImageData, load_dataset

Write = Callable[..., Path]


def write_csv(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def root(tmp_path: Path, class_folders: Write) -> Path:
    return class_folders(tmp_path / "images", {"cat": 5, "dog": 5})


@pytest.fixture
def load(root: Path, data_dir: Path) -> Callable[..., ImageData]:
    """Writes `list.csv` beside the folders of the classes, and loads it."""

    def load(lines: list[str], options: str = "") -> ImageData:
        write_csv(root / "list.csv", lines)
        return load_dataset(f"csv:{root / 'list.csv'}{options}", data_dir=data_dir)

    return load


def lines_of(form: str) -> list[str]:
    """Fill in a line for each of the ten images."""
    return [
        form.format(name=name, n=n, split="test" if n > 2 else "train")
        for name in ("cat", "dog")
        for n in range(5)
    ]


Load = Callable[..., ImageData]


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


def test_csv_whose_rows_would_be_swallowed_by_a_quote_is_refused(load: Load) -> None:
    lines = lines_of("{name}/00{n}.png,{name},{n} inch")
    for last in ("dog/004.png,dog,4 inch", 'dog/004.png,dog,"7 inch'):
        swallowing = [*lines[:1], 'cat/001.png,cat,"5 inch', *lines[2:9], last]
        with pytest.raises(DatasetError, match=r"list.csv:3: a cell begins with a quote .* so tha"):
            load(["image,label,note", *swallowing])
    spanning = [*lines[:1], 'cat/001.png,cat,"5 inch', 'or ""less"""', *lines[2:]]
    assert len(load(["image,label,note", *spanning]).labels_N) == 10
    assert len(load(["image,label,note", *lines[:9], 'dog/004.png,dog,"5" x 4"']).labels_N) == 10


@pytest.mark.parametrize("column", ["data set", "subset", "Usage", "fold", "whatever"])
def test_column_of_splits_is_known_by_what_it_holds(load: Load, column: str) -> None:
    data = load([f"filepaths,labels,{column}", *lines_of("{name}/00{n}.png,{name},{split}")])
    assert data.test_indices.tolist() == [3, 4, 8, 9]
    assert f"column {column!r} gives the splits (test, train)" in data.notes


def test_column_that_holds_some_words_for_splits_is_named(load: Load) -> None:
    lines = lines_of("{name}/00{n}.png,{name},{split}")
    data = load(["image,label,vehicle", *lines[:-1], "dog/004.png,dog,bus"])
    assert any(note.startswith("column 'vehicle' holds words for splits") for note in data.notes)
    with pytest.raises(DatasetError, match=r"list.csv:11: split 'bus', but must be train"):
        load(["image,label,vehicle", *lines[:-1], "dog/004.png,dog,bus"], "?split=vehicle")


def test_column_taken_among_several_is_named(load: Load) -> None:
    data = load(["class_id,path,labels", *lines_of("{n},{name}/00{n}.png,{name}")])
    assert data.class_names == ("cat", "dog")
    assert data.notes == (
        "column 'labels' is the label, not 'class_id'; ?label=NAME takes another",
    )


def test_ids_of_images_in_a_folder_beside_the_file(
    tmp_path: Path, data_dir: Path, write_image: Write
) -> None:
    for n in range(6):
        write_image(tmp_path / "train" / f"{n}.JPG", n)
        write_image(tmp_path / "test" / f"{n}.JPG", 10 + n)
    write_csv(tmp_path / "train.csv", ["id,label", *(f"{n},{'ab'[n % 2]}" for n in range(6))])
    data = load_dataset(f"csv:{tmp_path / 'train.csv'}", data_dir=data_dir)
    assert len(data.labels_N) == 6
    assert f"images are looked for in {tmp_path / 'train'}: '0' is 0.JPG" in data.notes[0]
    write_csv(tmp_path / "labels.csv", (tmp_path / "train.csv").read_text().splitlines())
    spec = f"csv:{tmp_path / 'labels.csv'}"
    with pytest.raises(DatasetError, match=r"may be any of .*: say which by \?images=FOLDER"):
        load_dataset(spec, data_dir=data_dir)
    named = load_dataset(f"{spec}?images=test&ext=JPG", data_dir=data_dir)
    assert named.fingerprint != data.fingerprint
    with pytest.raises(DatasetError, match=r"\?images=none: there is no folder"):
        load_dataset(f"{spec}?images=none", data_dir=data_dir)


@pytest.mark.parametrize("form", ["{root}/{name}/00{n}.png", "{name}/../{name}/00{n}.png"])
def test_paths_that_stay_in_the_folder(root: Path, load: Load, form: str) -> None:
    lines = lines_of(form.replace("{root}", str(root)) + ",{name}")
    assert len(load(["image,label", *lines]).labels_N) == 10


def test_paths_of_windows(load: Load) -> None:
    data = load(["image,label", *lines_of(".\\{name}\\00{n}.png,{name}")])
    assert data.notes == ("10 paths are read with / in place of \\",)


def test_paths_relative_to_where_the_command_was_started(
    root: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root.parent)
    data = load(["image,label", *lines_of("images/{name}/00{n}.png,{name}")])
    assert "10 paths are read relative to the folder" in data.notes[0]


def test_file_of_labels_beside_the_folder_of_images(
    root: Path, data_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "labels").mkdir()
    file = tmp_path / "labels" / "list.csv"
    write_csv(file, ["image,label", *lines_of("../images/{name}/00{n}.png,{name}")])
    with pytest.raises(DatasetError, match=r"a path outside .*\?images=FOLDER"):
        load_dataset(f"csv:{file}", data_dir=data_dir)
    data = load_dataset(f"csv:{file}?images=../images", data_dir=data_dir)
    assert len(data.labels_N) == 10


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
@pytest.mark.parametrize("header", [["image,label"], []])
def test_delimiters_with_and_without_header(load: Load, delimiter: str, header: list[str]) -> None:
    lines = [*header, *lines_of("{name}/00{n}.png,{name}")]
    data = load([line.replace(",", delimiter) for line in lines])
    assert np.bincount(data.labels_N).tolist() == [5, 5]
    assert f"list.csv: cells are parted by {delimiter!r}" in data.notes


PIXELS = [",".join(str((7 * n + k) % 256) for k in range(16)) for n in range(8)]


@pytest.mark.parametrize(
    "lines",
    [
        [
            "label," + ",".join(f"pixel{k}" for k in range(16)),
            *(f"{n % 2},{PIXELS[n]}" for n in range(8)),
        ],
        [f"{n % 2},{PIXELS[n]}" for n in range(8)],
        ["emotion,pixels", *(f"{n % 2},{PIXELS[n].replace(',', ' ')}" for n in range(8))],
    ],
    ids=["a column each", "no header", "one column"],
)
def test_pixels_in_place_of_files(load: Load, lines: list[str]) -> None:
    data = load(lines)
    assert data.images_NHWC.shape == (8, 4, 4, 1)
    assert data.labels_N.tolist() == [0, 1] * 4
    assert data.images_NHWC[3].ravel().tolist() == list(map(int, PIXELS[3].split(",")))
    assert "list.csv: images are read from their pixels, row by row" in data.notes


def test_pixels_of_a_large_image_may_be_one_cell(load: Load) -> None:
    rows = [f"{n % 2},{f'{n} 100 200 ' * 128**2 * 4}" for n in range(8)]
    assert len(rows[0]) > 131_072, "the csv module's own limit"
    data = load(["label,pixels", *rows])
    assert data.images_NHWC.shape == (8, 256, 256, 3)
    assert data.images_NHWC[3, -1, -1].tolist() == [3, 100, 200]


def test_usage_of_fer_2013(load: Load) -> None:
    uses = ["Training"] * 4 + ["PublicTest"] * 2 + ["PrivateTest"] * 2
    rows = [f"{n % 2},{PIXELS[n].replace(',', ' ')},{uses[n]}" for n in range(8)]
    rows += [f"{n},{'9 8 7 6 ' * n}{'5 ' * (16 - 4 * n)},Training" for n in (0, 1)]
    data = load(["emotion,pixels,Usage", *rows])
    assert data.validation_indices.tolist() == [4, 5]
    assert data.test_indices.tolist() == [6, 7]


def test_wrong_pixels_are_named_by_line(load: Load) -> None:
    rows = [f"{n % 2},{PIXELS[n].replace(',', ' ')}" for n in range(8)]
    with pytest.raises(DatasetError) as raised:
        load(["label,pixels", *rows, "0,1 2 3", f"1,{'256 ' * 16}"])
    assert "list.csv:10: 3 pixels, which make no square image" in str(raised.value)
    assert "list.csv:11: pixels must be whole numbers from 0 to 255" in str(raised.value)


def test_columns_of_a_class_each(load: Load) -> None:
    lines = [
        line.replace(",cat", ",1.0,0").replace(",dog", ",0.0,1")
        for line in lines_of("{name}/00{n}.png,{name}")
    ]
    data = load(["image,MEL,NV", *lines])
    assert data.class_names == ("MEL", "NV")
    assert data.labels_N.tolist() == [0] * 5 + [1] * 5
    with pytest.raises(DatasetError, match=r"list.csv:12: 1 in 2 columns of classes \(MEL, NV\)"):
        load(["image,MEL,NV", *lines, "cat/000.png,1,1"])


def test_columns_of_classes_that_are_numbers_are_no_pixels(load: Load) -> None:
    names = ",".join(map(str, range(16)))
    hot = [",".join("1" if k == place else "0" for k in range(16)) for place in (3, 12)]
    lines = lines_of("{name}/00{n}.png,")
    data = load([f"image,{names}", *(line + hot[n // 5] for n, line in enumerate(lines))])
    assert data.class_names == ("3", "12")


@pytest.mark.parametrize("hidden", ["-1", ""])
def test_test_rows_without_labels_are_left_out(load: Load, hidden: str) -> None:
    lines = lines_of("{name}/00{n}.png,{name},train")
    lines[4], lines[9] = f"cat/004.png,{hidden},test", f"dog/004.png,{hidden},test"
    data = load(["image,label,split", *lines])
    assert len(data.labels_N) == 8
    assert data.notes == ("2 test images have no labels and are left out",)


def test_labels_that_are_one_class_or_several(load: Load) -> None:
    lines = lines_of("{name}/00{n}.png,{name}")
    lines[0] += " "
    data = load(["image,label", *lines])
    assert data.class_names == ("cat", "dog")
    assert data.notes == ("labels written in 2 ways are one class, 'cat': 'cat ', 'cat'",)
    both = ["cat/003.png,cat dog", "cat/004.png,cat dog", "dog/004.png,cat dog"]
    data = load(["image,label", *lines_of("{name}/00{n}.png,{name}")[:3], *lines[5:8], *both])
    assert data.notes[0].startswith("1 class is a combination of others, such as 'cat dog'")


def test_whole_numbers_that_became_fractions(load: Load) -> None:
    lines = [line.replace("cat", "10.0") for line in lines_of("cat/00{n}.png,{name}")[:5]]
    lines = [line.replace("10.0/", "cat/") for line in lines]
    data = load(["image,label", *lines, *lines_of("dog/00{n}.png,9.0")[:5]])
    assert data.class_names == ("9", "10")
    assert data.notes == ("labels such as 10.0 are read as whole numbers",)
