"""Which columns of a text file hold what: chosen by their names, and by what is in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from trainables.datasets.decoding.decode import SUFFIXES
from trainables.datasets.errors import DatasetError
from trainables.datasets.own_data.split_names import split_meant
from trainables.datasets.own_data.tables.columns import (
    ID_COLUMNS,
    IMAGE_COLUMNS,
    LABEL_COLUMNS,
    Asked,
    check_unique,
    choice_note,
    choose_split,
    find_column,
    find_group,
    group_note,
    one_hot_columns,
    pixel_columns,
    require_column,
)
from trainables.datasets.own_data.tables.csv_table import (
    FEWEST_PIXELS,
    Table,
    distinct_values,
    image_shape,
)
from trainables.datasets.own_data.tables.split_flags import SplitFlags, is_bare


@dataclass(frozen=True, kw_only=True, slots=True)
class Columns:
    """Holds the places of the columns, and what of them was guessed.

    Attributes:
        image: That of paths; `None` where there are pixels.
        pixels: Those of a pixel each, or the one of all pixels.
        label: That of labels.
        one_hot: Those of a class each, where there is none of labels.
        split: That of splits, or those that are true for one each.
        group: That of what images belong to.
        id: That of the names of images which are pixels.
        notes: What was guessed, a sentence each.
    """

    image: int | None = None
    pixels: tuple[int, ...] = ()
    label: int | None = None
    one_hot: tuple[int, ...] = ()
    split: int | SplitFlags | None = None
    group: int | None = None
    id: int | None = None
    notes: tuple[str, ...] = ()


def find_columns(table: Table, asked: Asked) -> Columns:
    """Choose the columns to train from; raises `DatasetError` where one is missing."""
    name, header = table.path.name, table.header
    label = 0 if _is_label_and_pixels(table) else find_column(header, LABEL_COLUMNS, asked.label)
    image, pixels, notes = _find_pictures(table, asked.image, label)
    group = find_group(name, header, asked.group)
    taken = {image, *pixels}
    if label is None and not table.has_header and asked.label is None and len(header) == 2:
        label = next(place for place in range(2) if place not in taken)
    rest = [place for place in range(len(header)) if place not in {*taken, label, group}]
    values = distinct_values(table, rest)
    if label is None and asked.label is None:
        values = _without_classes(table, values)
    split, split_notes = choose_split(name, header, values, asked.split)
    splits = split.splits if isinstance(split, SplitFlags) else {split}
    one_hot: tuple[int, ...] = ()
    if label is None and asked.label is None:
        cells = distinct_values(table, [place for place in rest if place not in splits])
        one_hot = one_hot_columns(cells)
    if one_hot:
        notes.append(f"classes are columns: {', '.join(header[place] for place in one_hot)}")
    elif label is None:
        label = require_column(name, "label", header, LABEL_COLUMNS, asked.label)
    else:
        notes += choice_note("label", header, LABEL_COLUMNS, asked.label, label)
    used = image, label, group, *pixels, *one_hot, *splits
    check_unique(name, header, used)
    if group is None:
        notes += group_note(header, used)
    return Columns(
        image=image,
        pixels=pixels,
        label=label,
        one_hot=one_hot,
        split=split,
        group=group,
        notes=(*notes, *split_notes),
    )


def find_columns_to_predict(table: Table, asked_image: str | None) -> Columns:
    """Choose the columns of images alone, and that of their names where they are pixels."""
    header = table.header
    if _is_label_and_pixels(table) and image_shape(len(header)) is not None:
        raise DatasetError(
            f"{table.path.name}: {len(header)} numbers without a header may be pixels, or a label "
            "and pixels: give it a header, label,pixel0,... or pixel0,..."
        )
    label = 0 if _is_label_and_pixels(table) else find_column(header, LABEL_COLUMNS)
    image, pixels, _ = _find_pictures(table, asked_image, label)
    check_unique(table.path.name, header, (image, *pixels))
    return Columns(image=image, pixels=pixels, id=find_column(header, ID_COLUMNS))


def hot_column(
    header: Sequence[str], cells: Sequence[str], places: Sequence[int]
) -> tuple[str, str | None]:
    """Return the name of the column that holds 1, or the problem that not one alone does."""
    hot = [
        header[place]
        for place in places
        if (cells[place] if place < len(cells) else "").strip() in ("1", "1.0")
    ]
    if len(hot) == 1:
        return hot[0], None
    return "", f"1 in {len(hot)} columns of classes ({', '.join(hot)}), but must be in one"


def _find_pictures(
    table: Table, asked: str | None, label: int | None
) -> tuple[int | None, tuple[int, ...], list[str]]:
    """Find the column of paths, or those of pixels, and say what was guessed."""
    name, header = table.path.name, table.header
    pixels = pixel_columns(header, label) if asked is None else ()
    if image_shape(len(pixels)) is None:
        if len(pixels) >= FEWEST_PIXELS and not header[pixels[0]].strip().isdecimal():
            raise DatasetError(
                f"{name}: {len(pixels):,} columns of pixels, from {header[pixels[0]]!r} to "
                f"{header[pixels[-1]]!r}, make no square image in grey or colour"
            )
        image = find_image_column(table, asked)
        notes = choice_note("image", header, IMAGE_COLUMNS, asked, image)
        if header[image].strip().lower() != "pixels":
            return image, (), notes
        pixels = (image,)
    else:
        notes = []
    return None, pixels, [*notes, f"{name}: images are read from their pixels, row by row"]


def _without_classes(table: Table, values: dict[int, set[str]]) -> dict[int, set[str]]:
    """Leave out columns that are named as splits but are classes: of all, each row is 1 in one."""
    hot = one_hot_columns(values)
    named = {place for place in hot if is_bare(table.header[place])}
    if not any(split_meant(table.header[place]) is not None for place in named):
        return values
    if any(hot_column(table.header, cells, hot)[1] for _, cells in table.rows()):
        return values
    return {place: cells for place, cells in values.items() if place not in named}


def find_image_column(table: Table, asked: str | None) -> int:
    """Find the column of paths; the first with an image's ending where there is no header."""
    if not table.has_header and asked is None:
        _, cells = next(table.rows())
        for place, cell in enumerate(cells):
            if PurePosixPath(cell.strip()).suffix.lower() in SUFFIXES:
                return place
    return require_column(table.path.name, "image", table.header, IMAGE_COLUMNS, asked)


def _is_label_and_pixels(table: Table) -> bool:
    return not table.has_header and image_shape(len(table.header) - 1) is not None
