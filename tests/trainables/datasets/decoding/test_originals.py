"""The sizes that files say they have, and the one that is proposed for images of several."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainables.datasets.decoding.decode import Encoded, open_image
from trainables.datasets.decoding.originals import describe_originals, propose_size, read_sizes


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_the_size_in_the_header_is_that_of_the_upright_image(
    tmp_path: Path, ending: str, orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"lying.{ending}"
    Image.new("RGB", (40, 20)).save(path, exif=exif)
    upright = open_image(path.read_bytes()).image
    size = upright.height, upright.width
    assert size == ((40, 20) if orientation in (6, 8) else (20, 40))
    assert read_sizes([path, path.read_bytes()], 2) == [size, size]


def test_files_without_a_size_are_left_out(
    tmp_path: Path, write_image: Callable[..., Path]
) -> None:
    (tmp_path / "text.png").write_text("text")
    sound = write_image(tmp_path / "a.png", height=3, width=5)
    encoded: list[Encoded] = [tmp_path / "text.png", sound, tmp_path / "none.png", b""]
    assert read_sizes(encoded, len(encoded)) == [(3, 5)]


def test_sizes_are_ordered_by_area() -> None:
    found = describe_originals([(1, 90), (10, 10), (10, 10), (9, 9)])
    assert (found.smallest, found.most_frequent, found.largest) == ((9, 9), (10, 10), (10, 10))
    assert (found.num_sizes, found.num_most_frequent, found.median_shorter_side) == (3, 2, 9)


@pytest.mark.parametrize(
    ("shorter_side", "proposed"),
    [(5, 32), (32, 32), (63, 32), (64, 64), (100, 96), (183, 128), (3000, 224)],
)
def test_the_usual_size_next_below_the_median_is_proposed(shorter_side: int, proposed: int) -> None:
    sizes = [(1, 1), (shorter_side, 2 * shorter_side), (9999, 9999)]
    assert propose_size(describe_originals(sizes)) == proposed


def test_a_size_is_read_without_decoding(tmp_path: Path) -> None:
    """What is behind the header is cut off."""
    path = tmp_path / "a.jpg"
    pixels = np.random.default_rng(0).integers(0, 256, (64, 48, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    assert read_sizes([path.read_bytes()[:700]], 1) == [(64, 48)]
