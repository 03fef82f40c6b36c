"""`mnist` and `fashion-mnist`: 60,000 + 10,000 grey images of 28 x 28 in IDX files.

LeCun et al., "Gradient-Based Learning Applied to Document Recognition" (1998); Xiao, Rasul and
Vollgraf, "Fashion-MNIST" (2017). Addresses, checksums and folders are those of
torchvision.datasets.mnist, so that a folder it has filled is used as it is.
"""

import gzip
import math
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainables.datasets.image_data import Pixels
from trainables.datasets.sources.download import RemoteFile, fetch_all
from trainables.datasets.sources.published import Part, damaged, train_and_test
from trainables.datasets.sources.source import Arrays

NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
UNSIGNED_BYTE = 8  # the element type of an IDX file, in the third byte of its magic number


@dataclass(frozen=True, kw_only=True, slots=True)
class IdxDataset:
    name: str
    folder: str  # under the data folder
    files: tuple[RemoteFile, ...]
    class_names: tuple[str, ...]


def idx_files(mirrors: tuple[str, ...], md5s: tuple[str, str, str, str]) -> tuple[RemoteFile, ...]:
    return tuple(
        RemoteFile(f"{name}.gz", mirrors, md5) for name, md5 in zip(NAMES, md5s, strict=True)
    )


MNIST = IdxDataset(
    name="mnist",
    folder="MNIST/raw",
    files=idx_files(
        (
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "http://yann.lecun.com/exdb/mnist/",
        ),
        (
            "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "d53e105ee54ea40749a09fcbcd1e9432",
            "9fb629c4189551a2d022fa330f9573f3",
            "ec29112dd5afa0611ce80d1b7f02629c",
        ),
    ),
    class_names=tuple("0123456789"),
)
FASHION_MNIST = IdxDataset(
    name="fashion-mnist",
    folder="FashionMNIST/raw",
    files=idx_files(
        ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
        (
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "25c81989df183df01b3e8a0aad5dffbe",
            "bef4ecab320f06d8554ea6380940ec79",
            "bb300cfdad3c16e7a12a480ee83cd310",
        ),
    ),
    class_names=(
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
        "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class IdxFiles:
    """The four files of a set in their folder, each as downloaded (.gz) or unpacked."""

    root: Path
    class_names: tuple[str, ...]

    def files(self) -> Iterable[str]:
        return [find(self.root, name) or f"{name}.gz" for name in NAMES]

    def read(self) -> Arrays:
        images, labels, test_images, test_labels = (
            read_idx(self.root / file) for file in self.files()
        )
        train = Part(images[..., np.newaxis], labels)
        test = Part(test_images[..., np.newaxis], test_labels)
        return train_and_test(self.root, train, test, self.class_names)


def open_mnist(dataset: IdxDataset, data_dir: Path) -> IdxFiles:
    folder = (data_dir / dataset.folder).resolve()
    missing = [
        file for file, name in zip(dataset.files, NAMES, strict=True) if find(folder, name) is None
    ]
    fetch_all(dataset.name, missing, folder)
    return IdxFiles(folder, dataset.class_names)


def find(folder: Path, name: str) -> str | None:
    return next((file for file in (f"{name}.gz", name) if (folder / file).is_file()), None)


def read_idx(path: Path) -> Pixels:
    """An IDX file of bytes: two zeros, the type, the number of axes, their lengths, the values."""
    try:
        data = path.read_bytes()
        data = gzip.decompress(data) if path.suffix == ".gz" else data
    except (OSError, EOFError, zlib.error) as error:
        raise damaged(path, str(error)) from error
    if len(data) < 4 or data[:3] != bytes((0, 0, UNSIGNED_BYTE)):
        raise damaged(path, "it is not an IDX file of bytes")
    num_axes = data[3]
    start = 4 + 4 * num_axes
    shape = np.frombuffer(data[4:start], dtype=">u4").tolist()
    if len(data) - start != math.prod(shape):
        raise damaged(path, f"{len(data) - start:,} values cannot have the shape {shape}")
    return np.frombuffer(data, dtype=np.uint8, offset=start).reshape(shape)
