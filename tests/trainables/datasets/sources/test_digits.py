"""digits, which need neither a network nor scikit-learn's import."""

import subprocess
import sys
from pathlib import Path

import pytest

from trainables.datasets import load_dataset
from trainables.datasets.errors import DatasetError

REPOSITORY = Path(__file__).parents[4]


def test_digits(data_dir: Path) -> None:
    data = load_dataset("digits", data_dir=data_dir)
    assert data.images_NHWC.shape == (1797, 8, 8, 1)
    assert data.images_NHWC.max() == 255
    assert data.class_names == tuple("0123456789")
    sizes = [len(data.train_indices), len(data.validation_indices), len(data.test_indices)]
    assert sizes == [1150, 288, 359]
    first_row = data.images_NHWC[0, 0, :, 0].tolist()
    assert first_row == [round(value * 255 / 16) for value in (0, 0, 5, 13, 9, 1, 0, 0)]


def test_fingerprints_stay_those_that_earlier_runs_have_recorded(
    data_dir: Path,
) -> None:
    data = load_dataset("digits", data_dir=data_dir, split_seed=0)
    assert data.fingerprint == "a0dcb2af4a716e620e221856709310e05005085eab29f95ad3e506b7f0559384"
    split = "07a605f7560fb9a88cbb95cd8ce2e872c75b9e0007b629e5a64529a2ceda2735"
    assert data.split_fingerprint == split


def test_what_a_person_wrote_is_in_one_split(data_dir: Path) -> None:
    data = load_dataset("digits?split=writers", data_dir=data_dir)
    assert data.train_indices.tolist() == list(range(646))
    assert data.validation_indices.tolist() == list(range(646, 1157))
    assert data.test_indices.tolist() == list(range(1157, 1797))
    with pytest.raises(DatasetError, match="split must be writers, not 'people'"):
        load_dataset("digits?split=people", data_dir=data_dir)


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
