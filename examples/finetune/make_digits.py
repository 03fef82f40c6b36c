"""Writes two sets of scanned digits that share no class: many scans of 0 to 5, few of 6 to 9.

    python examples/finetune/make_digits.py [FOLDER]

The scans are those that come with scikit-learn.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

NUM_MANY, NUM_FEW = 150, 40
"""Scans of each class."""

FIRST_OF_FEW = 6
BRIGHTEST = 16
"""Of scikit-learn's scans, whose pixels are numbers of dots."""


def make_digits(folder: Path) -> None:
    digits = load_digits()
    for digit in range(10):
        is_many = digit < FIRST_OF_FEW
        target = folder / ("many" if is_many else "few") / str(digit)
        target.mkdir(parents=True)
        scans_NHW = digits.images[digits.target == digit][: NUM_MANY if is_many else NUM_FEW]
        for number, pixels_HW in enumerate(scans_NHW * (255 / BRIGHTEST)):
            Image.fromarray(pixels_HW.astype(np.uint8)).save(target / f"{number:03d}.png")


if __name__ == "__main__":
    make_digits(Path(sys.argv[1] if len(sys.argv) > 1 else "digits"))
