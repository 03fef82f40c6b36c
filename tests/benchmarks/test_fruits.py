"""fruits-49 in blocks of neighbouring frames."""

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from benchmarks.fruits import BLOCKS, name_blocks, write_blocks
from trainables.datasets import load_dataset


def test_a_block_has_neighbouring_frames() -> None:
    turns = {"": 4, "r_": 3, "r2_": 3}
    paths = [f"Plum/{turn}{6 * n}_100.jpg" for turn, count in turns.items() for n in range(count)]
    shuffled = [*reversed(paths), "Pear/0_100.jpg"]
    found = dict(zip(shuffled, name_blocks(shuffled, "train"), strict=True))
    assert [found[path] for path in paths] == [f"train Plum {n // 2}" for n in range(10)]
    assert found["Pear/0_100.jpg"] == "train Pear 0"
    with pytest.raises(ValueError, match="Plum/one: its name says no frame"):
        name_blocks(["Plum/one"], "train")


def test_no_block_is_in_two_splits(tmp_path: Path) -> None:
    (tmp_path / "fruits-49").mkdir()
    for split, count in {"train": 20, "test": 6}.items():
        names = [f"{kind}/r_{6 * n}_100.jpg" for kind in ("Pear", "Plum") for n in range(count)]
        images = [{"bytes": draw(seed), "path": name} for seed, name in enumerate(names)]
        labels = [name.partition("/")[0] for name in names]
        table = pa.table({"image": images, "label": labels})
        pq.write_table(table, tmp_path / "fruits-49" / f"{split}.parquet")
    cache = tmp_path / "cache"
    for _ in range(2):
        write_blocks(tmp_path, cache)
    data = load_dataset(f"parquet:{cache / BLOCKS}?group=block", data_dir=tmp_path)
    assert data.groups_N is not None
    splits = data.train_indices, data.validation_indices, data.test_indices
    assert list(map(len, splits)) == [32, 8, 12]
    trained, validated = (
        set(data.groups_N[indices]) for indices in (data.train_indices, data.validation_indices)
    )
    assert len(validated) == 2
    assert not trained & validated


def draw(seed: int) -> bytes:
    pixels_HW = np.random.default_rng(seed).integers(0, 256, (8, 8), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels_HW).save(file, "PNG")
    return file.getvalue()
