"""scikit-learn's 1,797 scans of handwritten digits, 8 x 8, which come with the package.

Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits" (UCI, 1998), test part.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from trainables.datasets.errors import DatasetError
from trainables.datasets.source import Arrays, SourceKind, Split

SOURCE = SourceKind(
    help="scikit-learn's 1,797 grey scans of 8x8, which come with the package",
    open=lambda spec, data_dir: Digits(),
)

FILE = "datasets/data/digits.csv.gz"
MAX_VALUE = 16


@dataclass(frozen=True, slots=True)
class Digits:
    """Reads the file in scikit-learn's folder: importing scikit-learn would take seconds."""

    @property
    def root(self) -> Path:
        """Find the folder of scikit-learn; raises `DatasetError` where it is not installed."""
        package = find_spec("sklearn")
        if package is None or package.origin is None:
            raise DatasetError("--dataset digits comes with scikit-learn, which is not installed.")
        return Path(package.origin).parent

    def files(self) -> Iterable[str]:
        """List the one file."""
        return [FILE]

    def read(self) -> Arrays:
        """Read the file and scale its values, 0 to 16, to 0 to 255."""
        rows = np.loadtxt(self.root / FILE, delimiter=",", dtype=np.int64)
        values_NHW1 = rows[:, :-1].reshape(-1, 8, 8, 1)
        return Arrays(
            images_NHWC=(values_NHW1 * 255 / MAX_VALUE).round().astype(np.uint8),
            labels_N=rows[:, -1],
            splits_N=np.full(len(rows), Split.TRAIN, dtype=np.int8),
            class_names=tuple("0123456789"),
        )
