"""What an image is called, where a person is to find it again."""

from pathlib import Path

import numpy as np

from trainables.datasets.image_data import Texts
from trainables.datasets.source import Arrays, Listing


def name_images(given: Listing | Arrays, root: Path) -> Texts:
    """Name each image by its file below `root`, and by where a table lists it: `a.png (x.csv:2)`.

    An image that is no file of its own is named by its row, one of a published set by its number.
    """
    if isinstance(given, Arrays):
        return np.array([f"image {index}" for index in range(len(given.labels_N))], dtype=np.str_)
    locations = [item.location for item in given.items]
    if isinstance(given.encoded, list):
        below = f"{root}/"
        files = [
            str(file).removeprefix(below) if isinstance(file, Path) else ""
            for file in given.encoded
        ]
        locations = [_join(file, location) for file, location in zip(files, locations, strict=True)]
    return np.array([printable(name) for name in locations], dtype=np.str_)


def printable(name: str) -> str:
    """Write the bytes of a file's name that are not UTF-8 as `\\udcNN`: no file takes them raw."""
    return name.encode("utf-8", "backslashreplace").decode()


def _join(file: str, location: str) -> str:
    return f"{file} ({location})" if file and file != location else location
