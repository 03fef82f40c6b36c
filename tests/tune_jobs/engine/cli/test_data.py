"""`data` shows what would be trained on, and trains nothing."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tune_jobs.engine.cli import commands


def write_set(root: Path) -> None:
    generator = np.random.default_rng(0)
    for split, counts in (("train", {"cat": 8, "[dog]": 4}), ("test", {"cat": 2, "[dog]": 3})):
        for name, count in counts.items():
            (root / split / name).mkdir(parents=True)
            for i in range(count):
                pixels = generator.integers(0, 256, (6, 9, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(root / split / name / f"{i}.png")
    copied = (root / "train" / "cat" / "0.png").read_bytes()
    (root / "train" / "[dog]" / "copy.png").write_bytes(copied)
    (root / "test" / "cat" / "copy.png").write_bytes((root / "train/cat/1.png").read_bytes())


@pytest.mark.usefixtures("_wide")
def test_classes_are_counted_by_split_and_notes_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_set(tmp_path / "pets")
    words = ["data", f"folder:{tmp_path / 'pets'}", "--data-dir", str(tmp_path / "d")]
    assert commands.main(words) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert "19 images of 6x9x3 in 2 classes; 10 train, 3 validation, 6 test" in first
    table = [line.split() for line in lines[:3]]
    assert table == [
        ["class", "train", "validation", "test"],
        ["[dog]", "4", "1", "3"],
        ["cat", "6", "2", "3"],
    ]
    notes = "\n".join(lines[3:])
    assert "note: 1 test image is a training image, pixel by pixel" in notes
    assert "train/cat/0.png (cat)" in notes
    assert "train/[dog]/copy.png ([dog])" in notes
    assert {path.name for path in tmp_path.iterdir()} == {"pets", "d"}


@pytest.fixture
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def test_data_that_cannot_be_used_exits_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.main(["data", f"folder:{tmp_path}", "--data-dir", str(tmp_path / "d")]) == 2
    assert capsys.readouterr().err.startswith("error: the data of --dataset 'folder:")
