"""What a user is told of images before anything is trained on them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainables.datasets import load_dataset

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


def test_unequal_classes_are_told_with_counts(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    root = class_folders(tmp_path / "images", {"cat": 9, "dog": 3, "owl": 6})
    assert load_dataset(f"folder:{root}", data_dir=data_dir).notes == (
        "classes are unequal, from 3 images (dog) to 9 (cat): always answering cat would be right "
        "for 50% of them",
    )
