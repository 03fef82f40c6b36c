"""What a user is told of images before anything is trained on them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainables.datasets import load_dataset
from trainables.datasets.notes import describe_modes, describe_sizes

Write = Callable[..., Path]


def write_bits(path: Path, brightest: int, seed: int) -> None:
    values_HW = np.random.default_rng(seed).integers(0, brightest, (8, 8))
    values_HW[0, 0] = brightest
    Image.fromarray(values_HW.astype(np.uint16)).save(path)


@pytest.mark.parametrize(
    ("brightest", "told"),
    [
        ([4095] * 6, "6 of 12 bits"),
        ([200] * 6, "6 of 8 bits"),
        (
            [4000, 4000, 60_000, 200, 4000, 4000],
            "1 of 8 bits, 4 of 12 bits, 1 of 16 bits; brightness is not comparable between these",
        ),
    ],
)
def test_grey_levels_of_scanners_survive_and_are_told(
    tmp_path: Path, data_dir: Path, brightest: list[int], told: str
) -> None:
    for number, value in enumerate(brightest):
        folder = tmp_path / "scans" / ("benign", "malign")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        write_bits(folder / f"{number}.png", value, number)
    data = load_dataset(f"folder:{tmp_path / 'scans'}", data_dir=data_dir)
    text = "grey in 16-bit files was scaled by the range that each image uses: "
    assert data.notes == (text + told,)
    assert (data.images_NHWC.max(axis=(1, 2, 3)) >= 200).all()


def test_16_bits_that_are_used_need_no_note(tmp_path: Path, data_dir: Path) -> None:
    for number in range(6):
        folder = tmp_path / "scans" / ("benign", "malign")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        write_bits(folder / f"{number}.png", 60_000, number)
    assert load_dataset(f"folder:{tmp_path / 'scans'}", data_dir=data_dir).notes == ()


def test_images_that_show_nothing_are_named(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    root = class_folders(tmp_path / "images", {"cat": 4, "dog": 4})
    for name, colour in (("cat/000", "black"), ("dog/001", "white"), ("dog/003", (9, 200, 30))):
        Image.new("RGB", (8, 8), colour).save(root / f"{name}.png")
    pixels_HWC = np.random.default_rng(0).integers(100, 108, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(pixels_HWC).save(root / "cat" / "002.png")
    [note] = load_dataset(f"folder:{root}", data_dir=data_dir).notes
    assert note == (
        "black, white or of one other colour, or nearly so: 4 of 8 images "
        "(cat/000.png, cat/002.png, dog/001.png, dog/003.png)"
    )


def test_of_many_that_show_nothing_ten_are_named_and_a_file_has_them_all(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    root = class_folders(tmp_path / "images", {"cat": 12, "dog": 12})
    for number in range(12):
        Image.new("RGB", (8, 8)).save(root / "cat" / f"{number:03}.png")
    [note] = load_dataset(f"folder:{root}", data_dir=data_dir).notes
    [whole] = (data_dir / "overview").iterdir()
    assert note.endswith(f"cat/008.png, cat/009.png, ... and 2 more (all in {whole}))")
    assert whole.read_text().splitlines() == [f"cat/{number:03}.png" for number in range(12)]


def test_of_many_notes_ten_are_kept_and_a_file_has_them_all(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    names = [name for letter in "abcdefghijkl" for name in (letter, letter.upper())]
    root = class_folders(tmp_path / "images", dict.fromkeys(names, 3))
    *first, last = load_dataset(f"folder:{root}", data_dir=data_dir).notes
    [whole] = (data_dir / "overview").iterdir()
    assert last == f"... and 2 more (all in {whole})"
    notes = whole.read_text().splitlines()
    assert (len(notes), notes[:10]) == (12, first)


def test_sizes_and_modes_are_told_as_the_files_have_them(tmp_path: Path, data_dir: Path) -> None:
    images = {
        "a/0": Image.new("RGB", (40, 30), "red"),
        "a/1": Image.new("P", (40, 30)),
        "a/2": Image.new("L", (200, 100), 9),
        "a/3": Image.new("LA", (40, 30)),
        "b/0": Image.new("1", (7, 9)),
        "b/1": Image.fromarray(np.full((30, 40), 60_000, np.uint16)),
        "b/2": Image.new("RGBA", (40, 30), "red"),
        "b/3": Image.new("RGB", (41, 30)),
    }
    for name, image in images.items():
        (tmp_path / "mixed" / name).parent.mkdir(parents=True, exist_ok=True)
        image.save(tmp_path / "mixed" / f"{name}.png")
    for _ in range(2):  # decoded, then read back
        data = load_dataset(f"folder:{tmp_path / 'mixed'}", data_dir=data_dir, image_size=32)
        assert data.originals is not None
        assert describe_sizes(data.originals, len(data.labels_N)) == (
            "from 7 x 9 to 200 x 100, most often 40 x 30 (5 of 8; width x height)"
        )
        assert describe_modes(data.originals) == (
            "RGB 2, palette 1, grey 1, grey with transparency 1, black and white 1, "
            "16-bit grey 1, RGB with transparency 1"
        )


def test_where_no_two_sizes_are_equal_none_is_the_most_frequent(
    tmp_path: Path, data_dir: Path, write_image: Write
) -> None:
    for number in range(6):
        write_image(tmp_path / "all" / "ab"[number % 2] / f"{number}.png", width=8 + number)
    data = load_dataset(f"folder:{tmp_path / 'all'}", data_dir=data_dir, image_size=8)
    assert data.originals is not None
    assert (
        describe_sizes(data.originals, 6) == "from 8 x 8 to 13 x 8, no two equal (width x height)"
    )


def test_of_pixels_without_files_no_mode_is_claimed(data_dir: Path) -> None:
    data = load_dataset("digits", data_dir=data_dir, image_size=16)
    assert data.originals is not None
    assert describe_sizes(data.originals, len(data.labels_N)) == "all 8 x 8 (width x height)"
    assert describe_modes(data.originals) == ""


def test_unequal_classes_are_told_with_counts(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    root = class_folders(tmp_path / "images", {"cat": 9, "dog": 3, "owl": 6})
    assert load_dataset(f"folder:{root}", data_dir=data_dir).notes == (
        "classes are unequal, from 3 images (dog) to 9 (cat): always answering cat would be right "
        "for 50% of them",
    )
