"""What the sets in MNIST's format have in common: four IDX files, of grey images and labels.

LeCun et al., "Gradient-Based Learning Applied to Document Recognition" (1998). The addresses,
checksums and folders of the sets are those of torchvision.datasets.mnist, so that a folder it has
filled is used as it is.
"""

import gzip
import math
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainables.datasets.image_data import Pixels
from trainables.datasets.source import Arrays
from trainables.datasets.sources._download import RemoteFile, fetch_all
from trainables.datasets.sources._published import Part, damaged, train_and_test

NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
NUM_AXES = (3, 1, 3, 1)
UNSIGNED_BYTE = 8  # the type of the values of an IDX file


@dataclass(frozen=True, kw_only=True, slots=True)
class IdxDataset:
    """Describes a set in four IDX files.

    Attributes:
        name: As `--dataset` has it.
        folder: Under the folder of `--data-dir`.
        files: In the order of `NAMES`.
        class_names: By label.
        packaged: The folder in which a package of the system puts the files.
    """

    name: str
    folder: str
    files: tuple[RemoteFile, ...]
    class_names: tuple[str, ...]
    packaged: Path | None = None


def idx_files(mirrors: tuple[str, ...], md5s: tuple[str, str, str, str]) -> tuple[RemoteFile, ...]:
    """Name the four files on the `mirrors`, with their checksums."""
    return tuple(
        RemoteFile(f"{name}.gz", mirrors, md5) for name, md5 in zip(NAMES, md5s, strict=True)
    )


@dataclass(frozen=True, slots=True)
class IdxFiles:
    """Reads the four files of a set from their folder, each as downloaded (.gz) or unpacked."""

    root: Path
    class_names: tuple[str, ...]

    def files(self) -> Iterable[str]:
        """List the four files."""
        return [find(self.root, name) or f"{name}.gz" for name in NAMES]

    def read(self) -> Arrays:
        """Read all four; raises `DatasetError` where one is damaged."""
        images, labels, test_images, test_labels = (
            read_idx(self.root / file, num_axes)
            for file, num_axes in zip(self.files(), NUM_AXES, strict=True)
        )
        train = Part(images[..., np.newaxis], labels)
        test = Part(test_images[..., np.newaxis], test_labels)
        return train_and_test(self.root, train, test, self.class_names)


def open_idx(dataset: IdxDataset, data_dir: Path) -> IdxFiles:
    """Find the files of a set in `data_dir`, else all in the package's folder; else download those
    that are missing."""
    folder = (data_dir / dataset.folder).resolve()
    missing = _missing(dataset, folder)
    if missing and dataset.packaged and not _missing(dataset, dataset.packaged):
        return IdxFiles(dataset.packaged, dataset.class_names)
    fetch_all(dataset.name, missing, folder)
    return IdxFiles(folder, dataset.class_names)


def _missing(dataset: IdxDataset, folder: Path) -> list[RemoteFile]:
    files = zip(dataset.files, NAMES, strict=True)
    return [file for file, name in files if find(folder, name) is None]


def find(folder: Path, name: str) -> str | None:
    """Find a file's name in its folder, with or without .gz; `None` where it is missing."""
    return next((file for file in (f"{name}.gz", name) if (folder / file).is_file()), None)


def read_idx(path: Path, num_axes: int) -> Pixels:
    """Read an IDX file of bytes: two zeros, type, number of axes, their lengths, the values.

    Raises `DatasetError` where it is damaged.
    """
    try:
        data = path.read_bytes()
        data = gzip.decompress(data) if path.suffix == ".gz" else data
    except (OSError, EOFError, zlib.error) as error:
        raise damaged(path, str(error)) from error
    start = 4 + 4 * num_axes
    if len(data) < start or data[:4] != bytes((0, 0, UNSIGNED_BYTE, num_axes)):
        raise damaged(path, f"it is not an IDX file of bytes in {num_axes} axes")
    shape = np.frombuffer(data[4:start], dtype=">u4").tolist()
    if len(data) - start != math.prod(shape):
        raise damaged(path, f"{len(data) - start:,} values cannot have the shape {shape}")
    return np.frombuffer(data, dtype=np.uint8, offset=start).reshape(shape)
