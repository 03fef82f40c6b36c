"""Writes scans of digits and a CSV file that lists them, to try the example without your own.

    python examples/csv/make_csv.py [FOLDER]

The scans are 600 of the 1,797 that come with scikit-learn.
"""

import csv
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

NUM_SCANS = 600
BRIGHTEST = 16
"""Of scikit-learn's scans, whose pixels are numbers of dots."""


def make_csv(folder: Path) -> None:
    digits = load_digits()
    folder.mkdir(parents=True)
    with (folder / "scans.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("file", "digit", "split"))
        for number in range(NUM_SCANS):
            pixels_HW = digits.images[number] * (255 / BRIGHTEST)
            name = f"{number:04d}.png"
            Image.fromarray(pixels_HW.astype(np.uint8)).save(folder / name)
            table.writerow((name, digits.target[number], "test" if number % 5 == 0 else "train"))


if __name__ == "__main__":
    make_csv(Path(sys.argv[1] if len(sys.argv) > 1 else "scans"))
