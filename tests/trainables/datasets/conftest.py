import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def write_image() -> Callable[..., Path]:
    """Writes an image of noise, which its seed tells apart, and returns its path."""

    def write(
        path: Path, seed: int = 0, *, height: int = 8, width: int = 8, mode: str = "RGB"
    ) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        channels = {"L": (), "RGB": (3,)}[mode]
        generator = np.random.default_rng(seed)
        pixels = generator.integers(0, 256, (height, width, *channels), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
        return path

    return write


@pytest.fixture
def class_folders(write_image: Callable[..., Path]) -> Callable[..., Path]:
    """Fills a folder with a folder of images per class, and returns it."""

    def fill(root: Path, counts: dict[str, int], **kind: int | str) -> Path:
        for place, (name, count) in enumerate(counts.items()):
            for number in range(count):
                write_image(root / name / f"{number:03}.png", 1000 * place + number, **kind)
        return root

    return fill


@pytest.fixture
def write_parquet() -> Callable[..., Path]:
    """Writes files in the image layout of the Hugging Face hub, and returns the path."""

    def write(
        path: Path, images: list[Path], labels: list[object], names: list[str] | None = None
    ) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        encoded = [{"bytes": image.read_bytes(), "path": image.name} for image in images]
        table = pa.table({"image": encoded, "label": labels})
        if names is not None:
            features = {"label": {"names": names, "_type": "ClassLabel"}}
            described = json.dumps({"info": {"features": features}})
            table = table.replace_schema_metadata({"huggingface": described})
        pq.write_table(table, path)
        return path

    return write


@pytest.fixture
def pixels_of() -> Callable[[Path], list[object]]:
    def read(path: Path) -> list[object]:
        with Image.open(path) as image:
            pixels: list[object] = np.asarray(image).tolist()
        return pixels

    return read
