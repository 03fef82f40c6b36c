"""The lines of a table, understood: which image, which label, which split."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from trainables.datasets.decoding.decode import SUFFIXES
from trainables.datasets.errors import name_first
from trainables.datasets.own_data.columns import (
    IMAGE_COLUMNS,
    LABEL_COLUMNS,
    choice_note,
    choose_split,
    find_column,
    one_hot_columns,
    pixel_columns,
    require_column,
)
from trainables.datasets.own_data.paths import ImagePaths
from trainables.datasets.own_data.pixels import encode_pixels, pixel_values
from trainables.datasets.own_data.table import Table, distinct_values, image_shape


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """Holds what one line says; an empty text is a cell that is empty or not there.

    Attributes:
        line: Its number, from 1.
        location: The file and the line.
        image: The path of the image, relative to the file's folder where it is below; empty
            where the line holds pixels.
        written: The path of the image as it is written.
        label: As it is written.
        split: As it is written.
        problem: What is wrong with the line or its image.
        is_readable: Whether label and split can be told.
    """

    line: int
    location: str
    image: str
    written: str = ""
    label: str = ""
    split: str = "train"
    problem: str | None = None
    is_readable: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Columns:
    """Holds the places of the columns, and what of them was guessed.

    Attributes:
        image: That of paths; `None` where there are pixels.
        pixels: Those of a pixel each, or the one of all pixels.
        label: That of labels.
        one_hot: Those of a class each, where there is none of labels.
        split: That of splits.
        notes: What was guessed, a sentence each.
    """

    image: int | None = None
    pixels: tuple[int, ...] = ()
    label: int | None = None
    one_hot: tuple[int, ...] = ()
    split: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """Holds the names of columns that the user gave."""

    image: str | None = None
    label: str | None = None
    split: str | None = None


def find_columns(table: Table, asked: Asked) -> Columns:
    """Choose the columns to train from; raises `DatasetError` where one is missing."""
    name, header = table.path.name, table.header
    label = 0 if _is_label_and_pixels(table) else find_column(header, LABEL_COLUMNS, asked.label)
    pixels = pixel_columns(header, label) if asked.image is None else ()
    image, notes = None, []
    if image_shape(len(pixels)) is None:
        pixels = ()
        image = find_image_column(table, asked.image)
        notes += choice_note("image", header, IMAGE_COLUMNS, asked.image, image)
        if header[image].strip().lower() == "pixels":
            pixels, image = (image,), None
    taken = {image, *pixels}
    if label is None and not table.has_header and asked.label is None and len(header) == 2:
        label = next(place for place in range(2) if place not in taken)
    rest = [place for place in range(len(header)) if place not in {*taken, label}]
    values = distinct_values(table, rest)
    split, split_notes = choose_split(name, header, values, asked.split)
    one_hot: tuple[int, ...] = ()
    if label is None and asked.label is None:
        one_hot = one_hot_columns({place: values[place] for place in values if place != split})
    if one_hot:
        notes.append(f"classes are columns: {name_first([header[place] for place in one_hot])}")
    elif label is None:
        label = require_column(name, "label", header, LABEL_COLUMNS, asked.label)
    else:
        notes += choice_note("label", header, LABEL_COLUMNS, asked.label, label)
    if pixels:
        notes.append(f"{name}: images are read from their pixels, row by row")
    return Columns(
        image=image,
        pixels=pixels,
        label=label,
        one_hot=one_hot,
        split=split,
        notes=(*notes, *split_notes),
    )


def find_image_column(table: Table, asked: str | None) -> int:
    """Find the column of paths; the first with an image's ending where there is no header."""
    if not table.has_header and asked is None:
        _, cells = next(table.rows())
        for place, cell in enumerate(cells):
            if PurePosixPath(cell.strip()).suffix.lower() in SUFFIXES:
                return place
    return require_column(table.path.name, "image", table.header, IMAGE_COLUMNS, asked)


def read_rows(table: Table, columns: Columns, paths: ImagePaths) -> Iterator[Row]:
    """Yield what each line says, with what is wrong with it."""
    for line, cells in table.rows():
        location = f"{table.path.name}:{line}"
        label, unreadable = "", table.surplus(cells)
        if columns.label is not None:
            label = _cell(cells, columns.label)
        elif columns.one_hot and unreadable is None:
            label, unreadable = _hot(table.header, cells, columns.one_hot)
        if unreadable:
            yield Row(line=line, location=location, image="", problem=unreadable, is_readable=False)
            continue
        written = "" if columns.image is None else _cell(cells, columns.image).strip()
        if columns.image is not None:
            image, problem = paths.find(written)
        else:
            image, problem = "", _pixel_problem(cells, columns.pixels)
        split = "train" if columns.split is None else _cell(cells, columns.split).strip()
        yield Row(
            line=line,
            location=location,
            image=image,
            written=written,
            label=label,
            split=split,
            problem=problem,
        )


def _is_label_and_pixels(table: Table) -> bool:
    return not table.has_header and image_shape(len(table.header) - 1) is not None


def _hot(
    header: Sequence[str], cells: Sequence[str], places: Sequence[int]
) -> tuple[str, str | None]:
    """Return the name of the column that holds 1, or the problem that not one alone does."""
    hot = [header[place] for place in places if _cell(cells, place).strip() in ("1", "1.0")]
    if len(hot) == 1:
        return hot[0], None
    return "", f"1 in {len(hot)} columns of classes ({', '.join(hot)}), but must be in one"


def _pixel_problem(cells: Sequence[str], places: Sequence[int]) -> str | None:
    try:
        encode_pixels(pixel_values(cells, places))
    except ValueError as error:
        return str(error)
    return None


def _cell(cells: Sequence[str], place: int) -> str:
    return cells[place] if place < len(cells) else ""
