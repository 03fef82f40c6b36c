"""A delimited text file as lines of cells: its delimiter, its header, what its columns hold."""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import isqrt
from pathlib import Path, PurePosixPath

from trainables.datasets.decoding.decode import SUFFIXES
from trainables.datasets.errors import DatasetError
from trainables.datasets.own_data.tables.columns import MAX_DISTINCT

DELIMITERS = (",", ";", "\t", "|")
FEWEST_PIXELS = 16
LARGEST_CELL = 2**24
"""The most characters of a cell: the pixels of an image of 1,000 x 1,000 in colour. Python's own
limit, 131,072, is passed by one of 256 x 256. A quote that is not closed makes one cell of the rest
of a file, which may be larger than the memory."""
SEPARATOR_LINE = re.compile(r"\s*sep=(.)\s*", re.IGNORECASE)
UTF_16 = "utf-16"


@dataclass(frozen=True, slots=True)
class Table:
    """Reads a file line by line.

    Attributes:
        path: The file.
        delimiter: What stands between cells.
        header: The names of the columns; their numbers, from 1, where the file gives none.
        has_header: Whether the first line is that.
        encoding: UTF-8, or UTF-16 where the file begins as such.
    """

    path: Path
    delimiter: str
    header: tuple[str, ...]
    has_header: bool
    encoding: str = "utf-8-sig"

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (line, cells) but for the header and the blank lines.

        Raises `DatasetError` where the file is no CSV in UTF-8.
        """
        lines = _read(self.path, self.delimiter, self.encoding)
        return islice(lines, 1, None) if self.has_header else lines

    def notes(self) -> list[str]:
        """Say what of the form was guessed."""
        notes = []
        if self.delimiter != ",":
            notes.append(f"{self.path.name}: cells are parted by {self.delimiter!r}")
        if self.encoding == UTF_16:
            notes.append(f"{self.path.name}: read as UTF-16")
        if not self.has_header:
            notes.append(f"{self.path.name}: no header; columns are called by number, from 1")
        return notes

    def surplus(self, cells: Sequence[str]) -> str | None:
        """Say that a line has more cells than the header; blank ones at its end do not count."""
        num_columns = len(self.header)
        if len(cells) <= num_columns or not any(cell.strip() for cell in cells[num_columns:]):
            return None
        return (
            f"{len(cells)} cells, but the header has {len(self.header)}: "
            f'put a cell that holds {self.delimiter!r} between quotes, as "a{self.delimiter}b"'
        )


def open_table(path: Path) -> Table:
    """Find the delimiter and the header in the first line."""
    encoding = _encoding(path)
    try:
        with path.open(encoding=encoding) as file:
            start = next((line for line in file if line.strip()), "")
            named = SEPARATOR_LINE.fullmatch(start)
            start = file.readline() if named else start
    except UnicodeError:
        raise _not_utf8(path) from None
    if "\0" in start:
        raise DatasetError(
            f"{path.name}: holds NUL bytes, and is no text in UTF-8; save it as such."
        )
    unquoted = re.sub(r'"[^"]*"', "", start)
    delimiter = max(DELIMITERS, key=unquoted.count)  # the first of those that are as frequent
    delimiter = named[1] if named else delimiter
    _, first = next(_read(path, delimiter, encoding), (1, []))
    if _is_data(first):
        header = tuple(str(n + 1) for n in range(len(first)))
        return Table(path, delimiter, header, False, encoding)
    return Table(path, delimiter, tuple(first), True, encoding)


def distinct_values(table: Table, places: Sequence[int]) -> dict[int, set[str]]:
    """Collect what each column holds; a column of more than `MAX_DISTINCT` values is left out."""
    found: dict[int, set[str]] = {place: set() for place in places}
    for _, cells in table.rows():
        for place in list(found):
            found[place].add(cells[place].strip() if place < len(cells) else "")
            if len(found[place]) > MAX_DISTINCT:
                del found[place]
        if not found:
            break
    return found


def image_shape(num_values: int) -> tuple[int, int, int] | None:
    """Find the square image, grey or of interleaved colours, that has so many values."""
    if num_values < FEWEST_PIXELS:
        return None
    for channels in (1, 3):
        side = isqrt(num_values // channels)
        if side * side * channels == num_values:
            return side, side, channels
    return None


def _is_data(cells: Sequence[str]) -> bool:
    """Tell that a first line is no header: it names an image, or is a label and pixels."""
    if any(PurePosixPath(cell.strip()).suffix.lower() in SUFFIXES for cell in cells):
        return True
    numbers = all(re.fullmatch(r"\s*\d+(\.0*)?\s*", cell) for cell in cells)
    shapes = image_shape(len(cells) - 1), image_shape(len(cells))
    return numbers and any(shapes) and len(set(cells)) < len(cells)


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(2)
    return UTF_16 if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def _read(path: Path, delimiter: str, encoding: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, cells) but for blank lines, and for one of a spreadsheet: `sep=;`."""
    csv.field_size_limit(max(LARGEST_CELL, csv.field_size_limit()))  # of the process
    with path.open(newline="", encoding=encoding) as file:
        lines: list[str] = []  # those that the next cells are read from
        reader = csv.reader(_keeping(file, lines), delimiter=delimiter)
        line = 1  # a quoted cell may span lines: the first one counts
        try:
            for cells in reader:
                if len(lines) > 1:
                    _check_quotes(lines, delimiter, f"{path.name}:{line}")
                is_blank = not any(cells) and len(cells) != 1
                if not is_blank and not (line == 1 and _is_separator_line(cells, delimiter)):
                    yield line, cells
                line = reader.line_num + 1
                lines.clear()
        except UnicodeError:
            raise _not_utf8(path) from None
        except csv.Error as error:
            raise DatasetError(
                f"{path.name}:{line}: {error}: a cell has at most {LARGEST_CELL:,} characters; "
                "close the quote that it begins with, or give larger images as files"
            ) from None


def _keeping(file: Iterable[str], lines: list[str]) -> Iterator[str]:
    for line in file:
        lines.append(line)
        yield line


def _check_quotes(lines: Sequence[str], delimiter: str, location: str) -> None:
    """Refuse cells that span lines for lack of a quote: the rows between would be lost."""
    try:
        list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error:
        raise DatasetError(
            f'{location}: a cell begins with a quote (") that is not closed, so that '
            f"{len(lines):,} lines would be one row: close it, or write it twice within a cell in "
            "quotes"
        ) from None


def _is_separator_line(cells: Sequence[str], delimiter: str) -> bool:
    return SEPARATOR_LINE.fullmatch(delimiter.join(cells)) is not None


def _not_utf8(path: Path) -> DatasetError:
    return DatasetError(f"{path.name}: not UTF-8 text; save it as such.")
