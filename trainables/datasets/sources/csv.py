"""`csv:PATH`: an image column, relative to the file's folder, and a label column.

A `split` column (train, val or test) is used where there is one.
"""

import csv
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from trainables.datasets.errors import DatasetError
from trainables.datasets.own_data.columns import (
    IMAGE_COLUMNS,
    LABEL_COLUMNS,
    SPLIT_COLUMNS,
    find_column,
    require_column,
)
from trainables.datasets.own_data.labels import ordered_class_names, unknown_class
from trainables.datasets.own_data.paths import leaves, path_problem
from trainables.datasets.own_data.split_names import split_named
from trainables.datasets.source import Item, Listing, PathTo, SourceKind, Split

SOURCE = SourceKind(
    argument=PathTo.FILE,
    options={"image": "NAME", "label": "NAME"},
    help="an image column, a label column, perhaps a split column",
    is_own_data=True,
    open=lambda spec, data_dir: CsvFile(spec.path, **spec.options),
)


class Row(NamedTuple):
    """Holds what one line says; an empty text is a cell that is empty or not there."""

    location: str
    image: str
    label: str = ""
    split: str = "train"


@dataclass(frozen=True, slots=True)
class CsvFile:
    """Reads a CSV; `image` and `label` name its columns where they do not have a usual name."""

    path: Path
    image: str | None = None
    label: str | None = None

    @property
    def root(self) -> Path:
        """Give the file's folder, which its paths are relative to."""
        return self.path.parent

    def files(self) -> Iterable[str]:
        """List the CSV and the images that it names."""
        yield self.path.name
        yield from (row.image for row in self.rows() if not leaves(row.image))

    def read(self) -> Listing:
        """List the images line by line, with all problems."""
        rows = list(self.rows())
        class_names = ordered_class_names(
            row.label for row in rows if row.label and split_named(row.split) is Split.TRAIN
        )
        labels = {name: label for label, name in enumerate(class_names)}
        items, paths, problems = [], [], []
        for row in rows:
            split = split_named(row.split)
            image_problem = row_path_problem(self.root, row)
            if image_problem is None:
                items.append(Item(row.location, labels.get(row.label), split or Split.TRAIN))
                paths.append(self.root / row.image)
            found = (image_problem, _label_problem(row, labels), _split_problem(row))
            problems += [f"{row.location}: {problem}" for problem in found if problem]
        return Listing(items=items, encoded=paths, class_names=class_names, problems=problems)

    def rows(self, *, labelled: bool = True) -> Iterator[Row]:
        """Yield each line but the header and the blank ones; without labels if told so.

        Raises `DatasetError` where the file is no CSV in UTF-8, or lacks a column.
        """
        name = self.path.name
        with self.path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            try:
                columns = self._columns(next(reader, []), labelled=labelled)
                line = reader.line_num + 1  # a quoted cell may span lines: the first one counts
                for cells in reader:
                    if cells:
                        yield Row(f"{name}:{line}", **_cells(cells, columns))
                    line = reader.line_num + 1
            except UnicodeDecodeError:
                raise DatasetError(f"{name}: not UTF-8 text; save it as such.") from None
            except csv.Error as error:
                raise DatasetError(f"{name}:{reader.line_num}: {error}") from None

    def _columns(self, header: Sequence[str], *, labelled: bool) -> dict[str, int]:
        name = self.path.name
        columns = {"image": require_column(name, "image", header, IMAGE_COLUMNS, self.image)}
        if labelled:
            columns["label"] = require_column(name, "label", header, LABEL_COLUMNS, self.label)
            split = find_column(header, SPLIT_COLUMNS)
            if split is not None:
                columns["split"] = split
        return columns


def row_path_problem(root: Path, row: Row) -> str | None:
    """Say what is wrong with the path in a row; `None` where it names a file."""
    if not row.image:
        return "image missing"
    problem = path_problem(root, row.image)
    return f"{row.image}: {problem}" if problem else None


def _cells(cells: Sequence[str], columns: dict[str, int]) -> dict[str, str]:
    return {
        name: cells[place].strip() if place < len(cells) else "" for name, place in columns.items()
    }


def _label_problem(row: Row, known: Collection[str]) -> str | None:
    if not row.label:
        return "label missing"
    return None if row.label in known else unknown_class(row.label)


def _split_problem(row: Row) -> str | None:
    if split_named(row.split) is None:
        return f"split {row.split!r}, but must be train, val or test"
    return None
