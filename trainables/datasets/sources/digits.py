"""scikit-learn's 1,797 scans of handwritten digits, 8 x 8, which come with the package.

Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits" (UCI, 1998), test part.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from trainables.datasets.errors import DatasetError
from trainables.datasets.source import Arrays, SourceKind, Spec, SpecError, Split

SOURCE = SourceKind(
    options={"split": "writers"},
    help="scikit-learn's 1,797 grey scans of 8x8, which come with the package",
    open=lambda spec, data_dir: open_digits(spec),
)

FILE = "datasets/data/digits.csv.gz"
MAX_VALUE = 16

VALIDATION_WRITERS, TEST_WRITERS = 646, 1157
"""Where the sixth and the tenth of fourteen writers begin, whose images follow each other: found in
"Sample grouping" of the scikit-learn MOOC, https://inria.github.io/scikit-learn-mooc.
"""


@dataclass(frozen=True, slots=True)
class Digits:
    """Reads the file in scikit-learn's folder: importing scikit-learn would take seconds.

    Attributes:
        by_writers: Whether the images that one person wrote are in one split.
    """

    by_writers: bool = False

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
        splits_N = np.full(len(rows), Split.TRAIN, dtype=np.int8)
        if self.by_writers:
            splits_N[VALIDATION_WRITERS:] = Split.VALIDATION
            splits_N[TEST_WRITERS:] = Split.TEST
        return Arrays(
            images_NHWC=(values_NHW1 * 255 / MAX_VALUE).round().astype(np.uint8),
            labels_N=rows[:, -1],
            splits_N=splits_N,
            class_names=tuple("0123456789"),
        )


def open_digits(spec: Spec) -> Digits:
    """Read how to split; raises `SpecError` where that is no way that is known."""
    split = spec.options.get("split")
    if split not in (None, "writers"):
        raise SpecError(f"split must be writers, not {split!r}, or left away")
    return Digits(by_writers=split is not None)
