"""digits, which need neither a network nor scikit-learn's import."""

import subprocess
import sys
from pathlib import Path

from trainables.datasets import load_dataset

REPOSITORY = Path(__file__).parents[3]


def test_digits(data_dir: Path) -> None:
    data = load_dataset("digits", data_dir=data_dir)
    assert data.images_NHWC.shape == (1797, 8, 8, 1)
    assert data.images_NHWC.max() == 255
    assert data.class_names == tuple("0123456789")
    sizes = [len(data.train_indices), len(data.validation_indices), len(data.test_indices)]
    assert sizes == [1150, 288, 359]
    first_row = data.images_NHWC[0, 0, :, 0].tolist()
    assert first_row == [round(value * 255 / 16) for value in (0, 0, 5, 13, 9, 1, 0, 0)]


def test_digits_resized(data_dir: Path) -> None:
    data = load_dataset("digits", data_dir=data_dir, image_size=16)
    assert data.images_NHWC.shape == (1797, 16, 16, 1)


def test_digits_import_nothing_heavy(data_dir: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from trainables.datasets import load_dataset
heavy = {{"torch", "torchvision", "sklearn", "ray", "optuna", "PIL", "pyarrow", "rich"}}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
load_dataset("digits", data_dir=Path({str(data_dir)!r}))
assert not heavy & set(sys.modules) - {{"PIL"}}, heavy & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=REPOSITORY)
