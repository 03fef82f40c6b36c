"""A data source is one file: here one outside the package, which nothing else knows of."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from trainables.datasets import DatasetError, load_dataset
from trainables.datasets.spec import is_own_data

MODULE = '''
"""Images and labels as two .npy files in a folder."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainables.datasets.source import Arrays, PathTo, SourceKind, Spec, SpecError, Split

SOURCE = SourceKind(
    argument=PathTo.FOLDER,
    options={"first": "N"},
    help="images.npy and labels.npy in a folder",
    is_own_data=True,
    open=lambda spec, data_dir: open_npy(spec),
)


@dataclass(frozen=True)
class NpyFiles:
    root: Path
    num_images: int | None

    def files(self) -> Iterable[str]:
        return ["images.npy", "labels.npy", __file__]

    def read(self) -> Arrays:
        images_NHWC, labels_N = (
            np.load(self.root / name)[: self.num_images] for name in ("images.npy", "labels.npy")
        )
        return Arrays(
            images_NHWC=images_NHWC,
            labels_N=labels_N,
            splits_N=np.full(len(labels_N), Split.TRAIN),
            class_names=("cat", "dog"),
        )


def open_npy(spec: Spec) -> NpyFiles:
    first = spec.options.get("first")
    if first is not None and not first.isdecimal():
        raise SpecError("first must be a number")
    return NpyFiles(spec.path, None if first is None else int(first))
'''

IMAGES_NHWC = np.random.default_rng(0).integers(0, 256, (20, 6, 5, 3), dtype=np.uint8)
LABELS_N = np.arange(20) % 2


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of the source, whose dotted path is `my_pkg.npy_files`."""
    file = tmp_path / "code" / "my_pkg" / "npy_files.py"
    file.parent.mkdir(parents=True)
    file.write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path / "code")
    yield file
    for name in ("my_pkg.npy_files", "my_pkg"):
        sys.modules.pop(name, None)


@pytest.fixture
def spec(tmp_path: Path, module: Path) -> str:
    folder = tmp_path / "arrays"
    folder.mkdir()
    np.save(folder / "images.npy", IMAGES_NHWC)
    np.save(folder / "labels.npy", LABELS_N)
    return f"my_pkg.npy_files:{folder}"


def test_its_images_are_loaded_split_and_resized(spec: str, data_dir: Path) -> None:
    data = load_dataset(spec, data_dir=data_dir)
    np.testing.assert_array_equal(data.images_NHWC, IMAGES_NHWC)
    assert data.labels_N.tolist() == LABELS_N.tolist()
    assert (data.class_names, data.source) == (("cat", "dog"), spec)
    sizes = [len(data.train_indices), len(data.validation_indices), len(data.test_indices)]
    assert sizes == [13, 3, 4]
    assert load_dataset(spec, data_dir=data_dir, image_size=4).image_size == (4, 4)


def test_its_option_is_read_and_checked_by_its_own_rule(spec: str, data_dir: Path) -> None:
    assert len(load_dataset(f"{spec}?first=12", data_dir=data_dir).labels_N) == 12
    with pytest.raises(DatasetError, match=r"'.*\?first=few', but first must be a number\."):
        load_dataset(f"{spec}?first=few", data_dir=data_dir)


def test_it_is_read_once_and_again_when_its_files_or_its_code_change(
    spec: str, module: Path, tmp_path: Path, data_dir: Path
) -> None:
    """At the same size and time, the loss of all labels is not noticed: the cache is read."""
    first = load_dataset(spec, data_dir=data_dir)
    labels = tmp_path / "arrays" / "labels.npy"
    content, status = labels.read_bytes(), labels.stat()
    labels.write_bytes(bytes(status.st_size))
    os.utime(labels, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert load_dataset(spec, data_dir=data_dir).fingerprint == first.fingerprint
    labels.write_bytes(content)
    for number, file in enumerate((labels, module), start=2):
        os.utime(file, ns=(1, 1))
        assert load_dataset(spec, data_dir=data_dir).fingerprint == first.fingerprint
        assert len(list((data_dir / "decoded").iterdir())) == number


def test_it_says_that_its_data_is_the_users_own(spec: str) -> None:
    assert is_own_data(spec)
    assert is_own_data("folder:anything")
    assert not is_own_data("generated:8x8x1?classes=3")
    assert not is_own_data("cifar10")


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ("{spec}?frist=3", "its options may be: first=N, not 'frist' (did you mean 'first'?)."),
        ("{spec}/none", "there is no folder "),
        ("my_pkg.npy_files", "must give a path, as my_pkg.npy_files:PATH."),
        ("my_pkg.npy_flies:x", "my_pkg.npy_flies cannot be imported (No module named "),
        ("my_pkg:x", "must begin with one of cifar10, csv, "),
        ("parqet:x", "(did you mean 'parquet'?)."),
    ],
)
def test_what_is_not_known_is_refused_by_name(
    spec: str, data_dir: Path, wrong: str, rule: str
) -> None:
    text = wrong.format(spec=spec)
    with pytest.raises(DatasetError) as raised:
        load_dataset(text, data_dir=data_dir)
    message = str(raised.value)
    assert message.startswith(f"the value of --dataset is {text!r}, but ")
    assert rule in message.splitlines()[0]
    assert "\n  csv:PATH " in message


def test_a_bug_of_its_code_is_no_fault_of_the_request(
    spec: str, module: Path, data_dir: Path
) -> None:
    module.write_text(MODULE.replace("first.isdecimal()", "first.is_decimal()"))
    with pytest.raises(AttributeError, match="is_decimal"):
        load_dataset(f"{spec}?first=3", data_dir=data_dir)
