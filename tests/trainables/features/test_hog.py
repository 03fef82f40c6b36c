"""Descriptors against scikit-image, and their lengths."""

import numpy as np
import pytest
from skimage.feature import hog

from trainables.config import ConfigError
from trainables.features.hog import cell_size, hog_descriptors


def make_images(*shape: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(
    ("shape", "cell", "length"),
    [
        ((3, 8, 8, 1), (2, 2), 324),
        ((3, 28, 28, 1), (4, 4), 1296),
        ((2, 32, 32, 3), (4, 4), 1764),
        ((2, 64, 64, 3), (8, 8), 1764),
        ((2, 100, 100, 3), (13, 13), 1296),
        ((2, 30, 50, 3), (4, 7), 1296),
        ((2, 4, 4, 1), (2, 2), 36),
    ],
)
def test_descriptors_are_scikit_images(
    shape: tuple[int, ...], cell: tuple[int, int], length: int
) -> None:
    images_NHWC = make_images(*shape)
    found = hog_descriptors(images_NHWC)
    assert found.shape == (shape[0], length)
    assert found.dtype == np.float32
    assert cell_size(*shape[1:3]) == cell
    expected = hog(
        images_NHWC[1].squeeze(),
        orientations=9,
        pixels_per_cell=cell,
        cells_per_block=(2, 2),
        channel_axis=-1 if shape[3] == 3 else None,
    )
    np.testing.assert_allclose(found[1], expected, rtol=1e-6)


def test_length_is_bounded() -> None:
    for side in range(4, 300):
        cell, _ = cell_size(side, side)
        assert 2 <= side // cell <= 8


def test_blank_images_have_finite_descriptors() -> None:
    assert not hog_descriptors(np.zeros((2, 8, 8, 3), np.uint8)).any()


def test_images_smaller_than_a_block_are_refused() -> None:
    with pytest.raises(ConfigError, match="3x9: HOG needs images of at least 4x4 pixels"):
        hog_descriptors(make_images(2, 3, 9, 1))
