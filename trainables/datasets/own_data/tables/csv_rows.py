"""The lines of a table, understood: which image, which label, which split."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from trainables.datasets.errors import counted
from trainables.datasets.own_data.paths import ImagePaths
from trainables.datasets.own_data.tables.csv_columns import Columns, hot_column
from trainables.datasets.own_data.tables.csv_pixels import encode_pixels, pixel_values
from trainables.datasets.own_data.tables.csv_table import Table
from trainables.datasets.own_data.tables.split_flags import SplitFlags

NO_LABEL = frozenset(("nan", "<na>", "#n/a", "nat"))


class Row(NamedTuple):
    """Holds what one line says; an empty text is a cell that is empty or not there.

    Attributes:
        line: Its number, from 1.
        location: The file and the line.
        image: The path of the image, relative to the file's folder where it is below; empty
            where the line holds pixels.
        written: The path of the image as it is written; of pixels, the name that the line gives.
        label: As it is written.
        split: As it is written.
        group: What the image belongs to; `None` where no column says that.
        problem: What is wrong with the line or its image.
        is_readable: Whether label and split can be told.
    """

    line: int
    location: str
    image: str
    written: str = ""
    label: str = ""
    split: str = "train"
    group: str | None = None
    problem: str | None = None
    is_readable: bool = True


def read_rows(table: Table, columns: Columns, paths: ImagePaths) -> Iterator[Row]:
    """Yield what each line says, with what is wrong with it."""
    for line, cells in table.rows():
        location = f"{table.path.name}:{line}"
        label, unreadable = "", table.surplus(cells)
        if columns.label is not None:
            label = _label(cells, columns.label)
        elif columns.one_hot and unreadable is None:
            label, unreadable = hot_column(table.header, cells, columns.one_hot)
        split = "train"
        if columns.split is not None:
            split, contradiction = _read_split(cells, columns.split)
            unreadable = unreadable or contradiction
        if unreadable:
            yield Row(line=line, location=location, image="", problem=unreadable, is_readable=False)
            continue
        written = "" if columns.image is None else _cell(cells, columns.image).strip()
        if columns.image is not None:
            image, problem = paths.find(written)
        else:
            image, problem = "", _pixel_problem(cells, columns.pixels)
            written = "" if columns.id is None else _cell(cells, columns.id).strip()
        yield Row(
            line=line,
            location=location,
            image=image,
            written=written,
            label=label,
            split=split,
            group=None if columns.group is None else _label(cells, columns.group).strip(),
            problem=problem,
        )


def _pixel_problem(cells: Sequence[str], places: Sequence[int]) -> str | None:
    values = pixel_values(cells, places)
    if 1 < len(places) != len(values):
        return f"{counted(len(values), 'pixel')}, but the header has {len(places):,}"
    try:
        encode_pixels(values)
    except ValueError as error:
        return str(error)
    return None


def _read_split(cells: Sequence[str], split: int | SplitFlags) -> tuple[str, str | None]:
    if isinstance(split, SplitFlags):
        return split.read(cells)
    return _cell(cells, split).strip(), None


def _label(cells: Sequence[str], place: int) -> str:
    """Give a label as it is written; what pandas and spreadsheets write for none is none."""
    label = _cell(cells, place)
    return "" if label.strip().lower() in NO_LABEL else label


def _cell(cells: Sequence[str], place: int) -> str:
    return cells[place] if place < len(cells) else ""
