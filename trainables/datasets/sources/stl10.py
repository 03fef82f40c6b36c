"""`stl10`: 5,000 + 8,000 colour images of 96 x 96 in 10 classes.

Coates, Lee and Ng, "An Analysis of Single-Layer Networks in Unsupervised Feature Learning" (2011).
Address, checksum and folder are those of torchvision.datasets.stl10. The archive's 100,000 images
without labels (2.8 GB) are not read, since nothing trains on them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainables.datasets.image_data import Pixels
from trainables.datasets.source import Arrays, SourceKind
from trainables.datasets.sources._download import RemoteFile, fetch_unpacked
from trainables.datasets.sources._published import Part, damaged, train_and_test

SOURCE = SourceKind(
    help="13,000 colour images of 96x96 in 10 classes, downloaded when missing",
    open=lambda spec, data_dir: open_stl10(data_dir),
)

ARCHIVE = RemoteFile(
    name="stl10_binary.tar.gz",
    mirrors=("http://ai.stanford.edu/~acoates/stl10/",),
    md5="91f7769df0f17e558f3565bffb0c7dfb",
)
FOLDER = "stl10_binary"
FILES = ("train_X.bin", "train_y.bin", "test_X.bin", "test_y.bin")
CLASS_NAMES = (
    "airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck",
)  # fmt: skip
IMAGE_SHAPE = (3, 96, 96)  # CWH: columns of pixels, not rows
IMAGE_BYTES = 3 * 96 * 96


@dataclass(frozen=True, slots=True)
class Stl10:
    """Reads the files of the images that have labels from their folder."""

    root: Path

    def files(self) -> Iterable[str]:
        """List the four files."""
        return FILES

    def read(self) -> Arrays:
        """Read all four; raises `DatasetError` where one is damaged."""
        train, train_labels, test, test_labels = (self.root / name for name in FILES)
        return train_and_test(
            self.root,
            Part(map_images(train), read_labels(train_labels)),
            Part(map_images(test), read_labels(test_labels)),
            CLASS_NAMES,
        )


def open_stl10(data_dir: Path, archive: RemoteFile = ARCHIVE) -> Stl10:
    """Find the unpacked folder; else unpack the archive, which is downloaded when missing."""
    source = Stl10((data_dir / FOLDER).resolve())
    fetch_unpacked("stl10", archive, FILES, source.root, data_dir)
    return source


def map_images(path: Path) -> Pixels:
    """Map a file of images, NHWC."""
    if not path.stat().st_size or path.stat().st_size % IMAGE_BYTES:
        raise damaged(path, f"{path.stat().st_size:,} bytes are not whole images")
    values = np.memmap(path, dtype=np.uint8, mode="r")
    return values.reshape(-1, *IMAGE_SHAPE).transpose(0, 3, 2, 1)


def read_labels(path: Path) -> Pixels:
    """Read a file of labels and count them from 0; the file counts from 1."""
    return np.fromfile(path, dtype=np.uint8) - np.uint8(1)
