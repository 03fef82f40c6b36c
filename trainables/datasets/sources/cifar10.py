"""`cifar10`: 50,000 + 10,000 colour images of 32 x 32 in 10 classes.

Krizhevsky, "Learning Multiple Layers of Features from Tiny Images" (2009). The binary version:
the Python one, which torchvision downloads, would have to be unpickled.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainables.datasets.source import Arrays, SourceKind
from trainables.datasets.sources._download import RemoteFile, fetch_unpacked
from trainables.datasets.sources._published import Part, damaged, train_and_test

SOURCE = SourceKind(
    help="60,000 colour images of 32x32 in 10 classes, downloaded when missing",
    open=lambda spec, data_dir: open_cifar10(data_dir),
)

ARCHIVE = RemoteFile(
    name="cifar-10-binary.tar.gz",
    mirrors=("https://www.cs.toronto.edu/~kriz/",),
    md5="c32a1d4ab5d03f1284b67883e8d87530",
)
FOLDER = "cifar-10-batches-bin"
TRAIN_FILES = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST_FILE = "test_batch.bin"
CLASS_NAMES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
IMAGE_SHAPE = (3, 32, 32)  # CHW
RECORD_BYTES = 1 + 3 * 32 * 32  # the label comes first


@dataclass(frozen=True, slots=True)
class Cifar10:
    """Reads the six files of the binary version from their folder."""

    root: Path

    def files(self) -> list[str]:
        """List the six files."""
        return [*TRAIN_FILES, TEST_FILE]

    def read(self) -> Arrays:
        """Read all six; raises `DatasetError` where one is damaged."""
        batches = [read_batch(self.root / name) for name in TRAIN_FILES]
        train = Part(*(np.concatenate(arrays) for arrays in zip(*batches, strict=True)))
        return train_and_test(self.root, train, read_batch(self.root / TEST_FILE), CLASS_NAMES)


def open_cifar10(data_dir: Path, archive: RemoteFile = ARCHIVE) -> Cifar10:
    """Find the unpacked folder; else unpack the archive, which is downloaded when missing."""
    source = Cifar10((data_dir / FOLDER).resolve())
    fetch_unpacked("cifar10", archive, source.files(), source.root, data_dir)
    return source


def read_batch(path: Path) -> Part:
    """Read one file of records, each a label and the three planes of an image."""
    values = np.fromfile(path, dtype=np.uint8)
    if len(values) % RECORD_BYTES:
        raise damaged(path, f"{len(values):,} bytes are not whole records of {RECORD_BYTES:,}")
    records = values.reshape(-1, RECORD_BYTES)
    images_NCHW = records[:, 1:].reshape(-1, *IMAGE_SHAPE)
    return Part(images_NCHW.transpose(0, 2, 3, 1), records[:, 0])
