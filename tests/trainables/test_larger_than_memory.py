"""What is done with all images holds few of them in memory: the others are pages of a file."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainables.config import Runtime
from trainables.datasets import ImageData, load_dataset
from trainables.datasets.duplicates import find_duplicates
from trainables.training import normalisation
from trainables.training.inputs import Placed
from trainables.training.normalisation import train_normalisation

SIZE = 192
PER_CLASS = 60
SHARE = 0.25


@pytest.fixture
def load(tmp_path: Path) -> Callable[[], ImageData]:
    generator = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(PER_CLASS):
            pixels_HWC = generator.integers(0, 256, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels_HWC).save(tmp_path / "images" / name / f"{number}.png")
    spec = f"folder:{tmp_path / 'images'}"
    return lambda: load_dataset(spec, data_dir=tmp_path / "data", image_size=SIZE)


def test_no_step_holds_all_images(
    load: Callable[[], ImageData], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(normalisation, "PART_BYTES", 2**18)
    size = 2 * PER_CLASS * SIZE * SIZE * 3
    assert peak_of(load) < SHARE * size, "decoding"
    data = load()
    assert data.images_NHWC.nbytes == size
    find_duplicates(data)  # not measured: it imports scipy
    assert peak_of(lambda: find_duplicates(data)) < SHARE * size
    assert peak_of(lambda: train_normalisation(data)) < SHARE * size
    assert peak_of(lambda: Placed(data, None, Runtime(device="cpu"))) < SHARE * size


def peak_of(step: Callable[[], object]) -> int:
    """The most bytes that Python and numpy have allocated meanwhile; torch's are not counted."""
    tracemalloc.start()
    try:
        step()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
