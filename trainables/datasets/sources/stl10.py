"""`stl10`: 5,000 + 8,000 colour images of 96 x 96 in 10 classes, and 100,000 without labels.

Coates, Lee and Ng, "An Analysis of Single-Layer Networks in Unsupervised Feature Learning" (2011).
Address, checksum and folder are those of torchvision.datasets.stl10.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainables.datasets.image_data import Pixels
from trainables.datasets.sources.download import RemoteFile, fetch_all, unpack
from trainables.datasets.sources.published import Part, damaged, train_and_test
from trainables.datasets.sources.source import Arrays

ARCHIVE = RemoteFile(
    name="stl10_binary.tar.gz",
    mirrors=("http://ai.stanford.edu/~acoates/stl10/",),
    md5="91f7769df0f17e558f3565bffb0c7dfb",
)
FOLDER = "stl10_binary"
LABELLED_FILES = ("train_X.bin", "train_y.bin", "test_X.bin", "test_y.bin")
UNLABELLED_FILE = "unlabeled_X.bin"
CLASS_NAMES = (
    "airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck",
)  # fmt: skip
IMAGE_SHAPE = (3, 96, 96)  # CWH: columns of pixels, not rows
IMAGE_BYTES = 3 * 96 * 96


@dataclass(frozen=True, slots=True)
class Stl10:
    """The images without labels are used where their file is."""

    root: Path

    def files(self) -> Iterable[str]:
        has_unlabelled = (self.root / UNLABELLED_FILE).is_file()
        return [*LABELLED_FILES, *([UNLABELLED_FILE] if has_unlabelled else [])]

    def read(self) -> Arrays:
        train, train_labels, test, test_labels = (self.root / name for name in LABELLED_FILES)
        has_unlabelled = UNLABELLED_FILE in self.files()
        return train_and_test(
            self.root,
            Part(map_images(train), read_labels(train_labels)),
            Part(map_images(test), read_labels(test_labels)),
            CLASS_NAMES,
            map_images(self.root / UNLABELLED_FILE) if has_unlabelled else None,
        )


def open_stl10(data_dir: Path, archive: RemoteFile = ARCHIVE) -> Stl10:
    """From the unpacked folder, else from the archive, else from the web."""
    source = Stl10((data_dir / FOLDER).resolve())
    if not all((source.root / name).is_file() for name in LABELLED_FILES):
        if not (data_dir / archive.name).is_file():
            fetch_all("stl10", [archive], data_dir)
        unpack(data_dir / archive.name, LABELLED_FILES, source.root, optional=[UNLABELLED_FILE])
    return source


def map_images(path: Path) -> Pixels:
    """A view of the file, NHWC: the 2.8 GB without labels are never in memory at once."""
    if not path.stat().st_size or path.stat().st_size % IMAGE_BYTES:
        raise damaged(path, f"{path.stat().st_size:,} bytes are not whole images")
    values = np.memmap(path, dtype=np.uint8, mode="r")
    return values.reshape(-1, *IMAGE_SHAPE).transpose(0, 3, 2, 1)


def read_labels(path: Path) -> Pixels:
    """From 0; the file counts from 1."""
    return np.fromfile(path, dtype=np.uint8) - np.uint8(1)
