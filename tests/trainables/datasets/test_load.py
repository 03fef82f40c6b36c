"""load_dataset: one suite over all kinds of sources."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainables.datasets import DatasetError, load_dataset, load_to_look

CLASSES = {"cat": 6, "dog": 9}
Write = Callable[..., Path]
Read = Callable[[Path], list[object]]


def as_folder(root: Path, _: Write) -> str:
    return f"folder:{root}"


def as_csv(root: Path, _: Write) -> str:
    images = sorted(root.rglob("*.png"))
    lines = [f"{image.relative_to(root)},{image.parent.name}\n" for image in images]
    (root / "labels.csv").write_text("".join(["image,label\n", *lines]))
    return f"csv:{root / 'labels.csv'}"


def as_parquet(root: Path, write_parquet: Write) -> str:
    images = sorted(root.rglob("*.png"))
    names = sorted({image.parent.name for image in images})
    labels = [names.index(image.parent.name) for image in images]
    return f"parquet:{write_parquet(root / 'all.parquet', images, labels, names)}"


@pytest.fixture(params=[as_folder, as_csv, as_parquet])
def spec(
    request: pytest.FixtureRequest, tmp_path: Path, class_folders: Write, write_parquet: Write
) -> str:
    """The same images from each kind of source."""
    text: str = request.param(class_folders(tmp_path / "images", CLASSES), write_parquet)
    return text


def test_images_labels_and_names(
    spec: str, tmp_path: Path, data_dir: Path, pixels_of: Read
) -> None:
    data = load_dataset(spec, data_dir=data_dir)
    assert data.source == spec
    assert data.class_names == ("cat", "dog")
    assert data.labels_N.tolist() == [0] * 6 + [1] * 9
    assert data.images_NHWC.shape == (15, 8, 8, 3)
    files = sorted((tmp_path / "images").rglob("*.png"))
    assert [image.tolist() for image in data.images_NHWC] == [pixels_of(file) for file in files]
    assert (data.num_classes, data.image_size, data.num_channels) == (2, (8, 8), 3)
    assert data.notes == ()


def test_arrays_have_the_types_of_the_contract(spec: str, data_dir: Path) -> None:
    data = load_dataset(spec, data_dir=data_dir)
    assert type(data.images_NHWC) is np.ndarray  # a memmap would be pickled by copying it
    assert data.images_NHWC.dtype == np.uint8
    assert not data.images_NHWC.flags.writeable
    for integers in (
        data.labels_N, data.train_indices, data.validation_indices, data.test_indices
    ):  # fmt: skip
        assert integers.dtype == np.int64


def test_all_sources_give_the_same_content(
    tmp_path: Path, data_dir: Path, class_folders: Write, write_parquet: Write
) -> None:
    root = class_folders(tmp_path / "images", CLASSES)
    specs = [make(root, write_parquet) for make in (as_folder, as_csv, as_parquet)]
    found = [load_dataset(spec, data_dir=data_dir) for spec in specs]
    assert len({(data.fingerprint, data.split_fingerprint) for data in found}) == 1


def test_resizing(spec: str, data_dir: Path) -> None:
    data = load_dataset(spec, data_dir=data_dir, image_size=5)
    assert data.images_NHWC.shape == (15, 5, 5, 3)


def test_seed_and_train_size_choose_the_splits(spec: str, data_dir: Path) -> None:
    def splits(**options: int) -> list[list[int]]:
        data = load_dataset(spec, data_dir=data_dir, **options)
        indices = (data.train_indices, data.validation_indices, data.test_indices)
        return [part.tolist() for part in indices]

    assert [len(part) for part in splits()] == [10, 2, 3]
    assert splits() == splits(split_seed=0) != splits(split_seed=1)
    small = splits(train_size=8)
    assert [len(part) for part in small] == [6, 2, 3]
    assert small[2] == splits()[2]


@pytest.mark.parametrize("size", [0, -3])
def test_image_size_out_of_range(spec: str, data_dir: Path, size: int) -> None:
    with pytest.raises(DatasetError, match=f"--image-size is {size}, but must be at least 1"):
        load_dataset(spec, data_dir=data_dir, image_size=size)


def test_images_that_are_not_square_keep_their_size(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    root = class_folders(tmp_path / "images", CLASSES, height=4, width=7)
    assert load_dataset(f"folder:{root}", data_dir=data_dir).image_size == (4, 7)


def test_grey_images_have_one_channel(
    tmp_path: Path, data_dir: Path, class_folders: Write, pixels_of: Read
) -> None:
    root = class_folders(tmp_path / "images", CLASSES, mode="L")
    data = load_dataset(f"folder:{root}", data_dir=data_dir)
    assert data.images_NHWC.shape == (15, 8, 8, 1)
    assert data.images_NHWC[0, :, :, 0].tolist() == pixels_of(root / "cat" / "000.png")
    assert data.notes == ()


def test_grey_among_colour_is_converted_and_said(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    root = class_folders(tmp_path / "images", {"cat": 4})
    class_folders(root, {"dog": 3}, mode="L")
    for _ in range(2):  # decoded, then read back
        data = load_dataset(f"folder:{root}", data_dir=data_dir)
        assert data.num_channels == 3
        assert data.notes == ("3 grey images converted to RGB",)


@pytest.mark.parametrize("as_kind", [as_folder, as_csv, as_parquet])
def test_images_of_several_sizes_are_looked_at_in_a_usual_one_and_a_run_refuses_them(
    tmp_path: Path,
    data_dir: Path,
    class_folders: Write,
    write_parquet: Write,
    as_kind: Callable[[Path, Write], str],
) -> None:
    root = class_folders(tmp_path / "images", {"cat": 4, "dog": 4}, height=70, width=100)
    class_folders(root, {"owl": 3}, height=300, width=50)
    text = as_kind(root, write_parquet)
    with pytest.raises(DatasetError, match="give --image-size, for instance 64"):
        load_dataset(text, data_dir=data_dir)
    for _ in range(2):
        data = load_to_look(text, data_dir=data_dir)
        assert data.image_size == (64, 64)
        assert data.originals is not None
        assert data.originals.num_sizes == 2
        assert len(list((data_dir / "decoded").iterdir())) == 1
    assert load_to_look(text, data_dir=data_dir, image_size=8).image_size == (8, 8)


def test_images_of_one_size_are_looked_at_as_a_run_has_them(spec: str, data_dir: Path) -> None:
    looked_at = load_to_look(spec, data_dir=data_dir)
    assert load_dataset(spec, data_dir=data_dir).fingerprint == looked_at.fingerprint
    assert load_to_look(spec, data_dir=data_dir).image_size == (8, 8)
    assert len(list((data_dir / "decoded").iterdir())) == 1


def test_what_cannot_be_decoded_is_refused_to_who_only_looks(
    tmp_path: Path, data_dir: Path, class_folders: Write, write_image: Write
) -> None:
    root = class_folders(tmp_path / "images", {"cat": 4, "dog": 4})
    write_image(root / "cat" / "wide.png", width=40)
    (root / "dog" / "text.png").write_text("text")
    with pytest.raises(DatasetError, match=r"has 1 problem:\n  dog/text\.png: not an image"):
        load_to_look(f"folder:{root}", data_dir=data_dir)


def test_the_commonest_class_is_that_of_the_train_split(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    """It is measured on the test split, where another class may be the commonest."""
    class_folders(tmp_path / "images" / "train", {"cat": 6, "dog": 9})
    class_folders(tmp_path / "images" / "test", {"cat": 3, "dog": 1})
    data = load_dataset(f"folder:{tmp_path / 'images'}", data_dir=data_dir)
    assert data.majority_class.name == "dog"
    assert data.majority_class.test_accuracy == 0.25


@pytest.mark.parametrize(
    ("sizes", "taken"),
    [
        (((80, 66), (70, 110)), (96, 96)),
        (((40, 30),) * 2, (40, 30)),
        (((300, 230),) * 2, (224, 224)),
    ],
)
def test_auto_takes_a_usual_size_where_images_differ_or_are_large(
    tmp_path: Path, data_dir: Path, sizes: tuple[tuple[int, int], ...], taken: tuple[int, int]
) -> None:
    for name, size in zip(("cat", "dog"), sizes, strict=True):
        (tmp_path / name).mkdir()
        for number in range(6):
            pixels = np.full((*size, 3), number, dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    data = load_dataset(f"folder:{tmp_path}", data_dir=data_dir, image_size="auto")
    assert data.image_size == taken
