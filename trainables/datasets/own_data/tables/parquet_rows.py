"""The rows of a Parquet file, understood: which label, which split, which file if any."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables.datasets.errors import counted
from trainables.datasets.own_data.paths import find_images
from trainables.datasets.own_data.split_names import split_meant
from trainables.datasets.own_data.tables.columns import (
    IMAGE_COLUMNS,
    LABEL_COLUMNS,
    MAX_DISTINCT,
    Asked,
    check_unique,
    choice_note,
    choose_split,
    find_group,
    group_note,
    require_column,
)
from trainables.datasets.own_data.tables.parquet_images import (
    check_image_type,
    is_text,
    named_paths,
    open_parquet,
)
from trainables.datasets.own_data.tables.split_flags import SplitFlags, may_be_flag
from trainables.datasets.source import Split

if TYPE_CHECKING:
    import pyarrow.parquet as pq


@dataclass(frozen=True, kw_only=True, slots=True)
class ParquetRow:
    """Holds what a row says, besides its image.

    Attributes:
        row: Its number, from 0.
        label: The name of its class, as it is written; empty where there is none.
        split: Where it belongs.
        group: The name of what the image belongs to; `None` where no column says that.
        label_problem: What is wrong with the label.
        image_problem: What is wrong with the path of its image.
    """

    row: int
    label: str
    split: Split
    group: str | None = None
    label_problem: str | None = None
    image_problem: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """Describes a file without its images.

    Attributes:
        name: The file, relative to the folder of all.
        image_column: The name of that column.
        class_names: As the metadata has them.
        rows: All of them.
        paths: The files of the rows that name one, by row.
        notes: What was guessed.
    """

    name: str
    image_column: str
    class_names: tuple[str, ...] | None
    rows: list[ParquetRow]
    paths: dict[int, Path]
    notes: list[str]


def read_part(root: Path, name: str, split: Split, asked: Asked, *, is_split_known: bool) -> Part:
    """Read what is not an image; raises `DatasetError` where the file cannot be understood."""
    with open_parquet(root / name) as file:
        schema = file.schema_arrow
        columns = schema.names
        image = require_column(name, "image", columns, IMAGE_COLUMNS, asked.image)
        label = require_column(name, "label", columns, LABEL_COLUMNS, asked.label)
        group = find_group(name, columns, asked.group)
        check_unique(name, columns, (image, label, group))
        check_image_type(name, columns[image], schema.types[image])
        values = file.read(columns=[columns[label]]).column(0).to_pylist()
        groups = None if group is None else _read_groups(file, columns[group])
        notes = choice_note("label", columns, LABEL_COLUMNS, asked.label, label)
        if group is None:
            notes += group_note(columns, (image, label))
        splits: Sequence[Split | str] = [split] * len(values)
        if not is_split_known or asked.split is not None:
            splits, split_notes = _read_splits(file, name, {image, label, group}, asked, splits)
            notes += split_notes
        written = named_paths(file, columns[image])
    class_names = _names_in_metadata(schema.metadata, columns[label])
    if any(isinstance(value, float) for value in values):
        notes.append(f"{name}: labels are fractions, such as 1.0, and read as whole numbers")
    paths = find_images(root / name, written.values(), asked.images, asked.ext)
    found = {row: paths.find(text) for row, text in written.items()}
    notes += paths.all_notes()
    folder = (root / name).parent
    return Part(
        name=name,
        image_column=columns[image],
        class_names=class_names,
        rows=[
            replace(
                _row(row, value, class_names, splits[row], found.get(row, ("", None))[1]),
                group=groups[row] if groups else None,
            )
            for row, value in enumerate(values)
        ],
        paths={row: folder / path for row, (path, problem) in found.items() if problem is None},
        notes=notes,
    )


def _row(
    row: int,
    value: Any,
    class_names: tuple[str, ...] | None,
    split: Split | str,
    image_problem: str | None,
) -> ParquetRow:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None or value != value:
        value = ""
    problem = _label_problem(value, class_names)
    if isinstance(split, str):
        problem = split
    is_index = class_names is not None and not problem
    return ParquetRow(
        row=row,
        label=class_names[value] if class_names and is_index else str(value),
        split=split if isinstance(split, Split) else Split.TRAIN,
        label_problem=problem,
        image_problem=image_problem,
    )


def _read_splits(
    file: pq.ParquetFile,
    name: str,
    taken: set[int | None],
    asked: Asked,
    known: Sequence[Split | str],
) -> tuple[Sequence[Split | str], list[str]]:
    import pyarrow.compute as pc

    schema = file.schema_arrow
    columns, values = {}, {}
    for place, arrow_type in enumerate(schema.types):
        column_name = schema.names[place]
        is_asked = asked.split is not None and column_name.lower() == asked.split.strip().lower()
        if place not in taken and (is_text(arrow_type) or is_asked or may_be_flag(column_name)):
            column = file.read(columns=[column_name]).column(0)
            distinct = pc.unique(column).to_pylist()
            if is_asked or len(distinct) <= MAX_DISTINCT:
                values[place] = {_text(value) for value in distinct}
                columns[place] = column
    split, notes = choose_split(name, schema.names, values, asked.split)
    if split is None:
        return known, notes
    if isinstance(split, SplitFlags):
        check_unique(name, schema.names, split.splits)
        cells = {place: columns[place].to_pylist() for place in split.splits}
        rows = range(file.metadata.num_rows)
        read = (split.read({place: _text(cells[place][row]) for place in cells}) for row in rows)
        return [problem or _split_of(word) for word, problem in read], notes
    column = file.read(columns=[schema.names[split]]).column(0)
    return [_split_of(_text(value)) for value in column.to_pylist()], notes


def _read_groups(file: pq.ParquetFile, column: str) -> list[str]:
    """Return the names of the groups; those that are fractions but whole are whole numbers."""
    values = file.read(columns=[column]).column(0).to_pylist()
    return [
        _text(int(value) if isinstance(value, float) and value.is_integer() else value).strip()
        for value in values
    ]


def _split_of(cell: str) -> Split | str:
    """Return the split that a cell names, or the problem that it names none."""
    split = split_meant(cell)
    return f"split {cell!r}, but must be train, val or test" if split is None else split


def _text(value: Any) -> str:
    return "" if value is None or value != value else str(value)


def _names_in_metadata(metadata: dict[bytes, bytes] | None, column: str) -> tuple[str, ...] | None:
    try:
        described = json.loads((metadata or {})[b"huggingface"])
        return tuple(str(name) for name in described["info"]["features"][column]["names"])
    except (KeyError, TypeError, ValueError):
        return None


def _label_problem(value: Any, class_names: tuple[str, ...] | None) -> str | None:
    if value == "":
        return "label missing"
    if isinstance(value, float):
        return f"label {value!r} is a fraction, but must be a whole number or a text"
    if class_names and not (isinstance(value, int) and 0 <= value < len(class_names)):
        names = counted(len(class_names), "class name")
        return f"label {value!r} is not the index of one of {names}"
    if not isinstance(value, int | str):
        return f"label {value!r} is neither a number nor a text"
    return None
