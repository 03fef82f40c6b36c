import dataclasses
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from trainables.datasets import ImageData, load_dataset
from trainables.datasets.duplicates import Duplicates, find_duplicates
from trainables.datasets.image_data import Pixels

Change = Callable[[Image.Image], Image.Image]


def build_data(train: Pixels, validation: Pixels, test: Pixels, *, seed: int = 0) -> ImageData:
    """The three splits, interleaved at random."""
    images_NHWC = np.concatenate([train, validation, test])
    places = np.random.default_rng(seed).permutation(len(images_NHWC))
    shuffled_NHWC = np.empty_like(images_NHWC)
    shuffled_NHWC[places] = images_NHWC
    bounds = [len(train), len(train) + len(validation)]
    train_indices, validation_indices, test_indices = (
        np.sort(split) for split in np.split(places, bounds)
    )
    return ImageData(
        images_NHWC=shuffled_NHWC,
        labels_N=np.zeros(len(images_NHWC), dtype=np.int64),
        names_N=np.array([f"image {place}" for place in range(len(images_NHWC))]),
        class_names=("one",),
        train_indices=train_indices,
        validation_indices=validation_indices,
        test_indices=test_indices,
        fingerprint="",
        split_fingerprint="",
        source="made",
        notes=(),
    )


def draw_scenes(count: int, *, channels: int = 3) -> Pixels:
    """Smooth random pictures: noise has no low frequencies that survive a recompression."""
    size = 32
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (count, size // 4, size // 4, channels), dtype=np.uint8)
    scenes = [
        np.asarray(Image.fromarray(c[..., 0] if channels == 1 else c).resize((size, size)))
        for c in coarse
    ]
    return np.stack(scenes).reshape(count, size, size, channels)


def change_all(images_NHWC: Pixels, change: Change) -> Pixels:
    return np.stack([np.asarray(change(Image.fromarray(image))) for image in images_NHWC])


def recompress(image: Image.Image) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=75)
    return Image.open(file)


def brighten(image: Image.Image) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(1.1)


def shrink_and_enlarge(image: Image.Image) -> Image.Image:
    return image.resize((28, 28)).resize(image.size)


@pytest.mark.parametrize("channels", [1, 3])
def test_independent_images_share_nothing(channels: int) -> None:
    scenes = draw_scenes(600, channels=channels)
    assert find_duplicates(build_data(scenes[:400], scenes[400:500], scenes[500:])) == Duplicates(
        exact_train_test=0,
        near_train_test=0,
        train_test_examples=(),
        num_conflicts=0,
        conflict_examples=(),
    )


@pytest.mark.parametrize("seed", range(5))
def test_test_images_that_are_training_images_are_counted(seed: int) -> None:
    scenes = draw_scenes(100)
    validation = np.concatenate([scenes[60:80], scenes[:3]])
    test = np.concatenate([scenes[80:], scenes[10:17], scenes[10:11], scenes[60:62]])
    data = build_data(scenes[:60], validation, test, seed=seed)
    found = find_duplicates(data)
    assert found.exact_train_test == 8  # seven images, one of them twice
    assert found.near_train_test == 0
    assert len(found.train_test_examples) == 8
    for in_train, in_test in found.train_test_examples:
        assert in_train in data.train_indices
        assert in_test in data.test_indices
        assert np.array_equal(data.images_NHWC[in_train], data.images_NHWC[in_test])


def test_duplicates_within_a_split_do_not_count() -> None:
    scenes = draw_scenes(30)
    train = np.concatenate([scenes[:10], scenes[:10]])
    test = np.concatenate([scenes[20:], scenes[20:]])
    found = find_duplicates(build_data(train, scenes[10:20], test))
    assert found.exact_train_test == found.near_train_test == 0


def test_equal_images_with_different_labels_are_conflicts_in_any_split() -> None:
    scenes = draw_scenes(30)
    train = np.concatenate([scenes[:10], scenes[:1]])
    data = build_data(train, np.concatenate([scenes[10:20], scenes[1:2]]), scenes[20:])
    assert find_duplicates(data).num_conflicts == 0
    equal = {
        tuple(np.flatnonzero((data.images_NHWC == scenes[i]).all(axis=(1, 2, 3)))) for i in (0, 1)
    }
    for pair in equal:
        data.labels_N[pair[0]] = 1
    found = find_duplicates(data)
    assert found.num_conflicts == 2
    assert {tuple(sorted(pair)) for pair in found.conflict_examples} == equal


def test_more_pairs_than_are_told_are_written_into_files(tmp_path: Path) -> None:
    scenes = draw_scenes(60)
    data = build_data(scenes[:30], scenes[30:40], np.concatenate([scenes[40:], scenes[:11]]))
    data.labels_N[data.test_indices] = 1
    data = dataclasses.replace(data, class_names=("cat", "dog"))
    found = find_duplicates(data, tmp_path)
    assert (found.exact_train_test, len(found.train_test_examples)) == (11, 10)
    assert found.train_test_list is not None
    assert found.conflict_list is not None
    pairs = Path(found.train_test_list).read_text().splitlines()
    assert len(pairs) == 11
    train, test = found.train_test_examples[0]
    assert pairs[0] == f"image {train} and image {test}"
    conflicts = Path(found.conflict_list).read_text().splitlines()
    assert conflicts[0] == f"image {train} (cat) and image {test} (dog)"
    assert {Path(found.train_test_list), Path(found.conflict_list)} == set(tmp_path.iterdir())


def test_one_bit_of_one_pixel_is_near_and_not_exact() -> None:
    scenes = draw_scenes(30)
    test = scenes[:10].copy()
    test[:, 0, 0, 0] ^= 1
    found = find_duplicates(build_data(scenes[:10], scenes[10:20], test))
    assert (found.exact_train_test, found.near_train_test) == (0, 10)
    assert found.train_test_examples == ()


@pytest.mark.parametrize("change", [recompress, brighten, shrink_and_enlarge])
def test_the_same_picture_stored_differently_is_near(change: Change) -> None:
    scenes = draw_scenes(200)
    changed = change_all(scenes[:100], change)
    found = find_duplicates(build_data(scenes[:100], scenes[100:150], changed))
    assert found.exact_train_test == 0
    assert found.near_train_test >= 95


def test_only_images_that_a_split_holds_are_compared() -> None:
    scenes = draw_scenes(20)
    data = build_data(scenes[:10], scenes[10:15], np.concatenate([scenes[15:], scenes[:1]]))
    twice = data.train_indices[
        (data.images_NHWC[data.train_indices] == scenes[0]).all(axis=(1, 2, 3))
    ]
    smaller = dataclasses.replace(data, train_indices=np.setdiff1d(data.train_indices, twice))
    assert find_duplicates(data).exact_train_test == 1
    assert find_duplicates(smaller).exact_train_test == 0


def test_digits_have_no_exact_duplicate(data_dir: Path) -> None:
    found = find_duplicates(load_dataset("digits", data_dir=data_dir))
    assert found.exact_train_test == 0
    assert found.near_train_test == 17  # different scans: 8 x 8 pixels are too few to tell
