"""Images that are written in a text file as the values of their pixels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trainables.datasets.errors import counted
from trainables.datasets.own_data.tables.csv_table import Table, image_shape


@dataclass(frozen=True, slots=True)
class PixelRows:
    """Iterates over the images of some lines of a table, encoded one by one.

    Attributes:
        table: The file.
        places: The columns of a pixel each, or the one of all pixels.
        lines: The numbers of the lines to read, all of which are sound.
    """

    table: Table
    places: tuple[int, ...]
    lines: frozenset[int]

    def __iter__(self) -> Iterator[bytes]:
        for line, cells in self.table.rows():
            if line in self.lines:
                yield encode_pixels(pixel_values(cells, self.places))


def pixel_values(cells: Sequence[str], places: Sequence[int]) -> list[str]:
    """Take the values of a line, one from each column, or all from one where spaces part them."""
    if len(places) == 1:
        return cells[places[0]].split() if places[0] < len(cells) else []
    return [cells[place] for place in places if place < len(cells)]


def encode_pixels(values: Sequence[str]) -> bytes:
    """Encode the values, row by row and colours side by side, as a plain PGM or PPM image.

    Raises `ValueError` where they are no whole numbers from 0 to 255, or make no square.
    """
    shape = image_shape(len(values))
    if shape is None:
        raise ValueError(
            f"{counted(len(values), 'pixel')}, which make no square image in grey or colour"
        )
    try:
        content = bytes(map(_whole, values))
    except ValueError:
        raise ValueError("pixels must be whole numbers from 0 to 255") from None
    height, width, channels = shape
    return b"P%d %d %d 255\n" % (5 if channels == 1 else 6, width, height) + content


def _whole(value: str) -> int:
    """Read a whole number, perhaps one that pandas wrote as `7.0`."""
    try:
        return int(value)
    except ValueError:
        number = float(value)
        if number.is_integer():
            return int(number)
        raise
