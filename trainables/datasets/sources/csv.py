"""`csv:PATH`: a column of images, relative to the file's folder, and one of labels.

Images may also be pixels, in a column each or all in one; labels may be a column of 0 and 1 per
class; a column of train, val and test gives the splits.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from trainables.datasets.decoding.decode import Encoded
from trainables.datasets.own_data.labels import (
    drop_hidden,
    join_spellings,
    label_notes,
    ordered_class_names,
    unknown_class,
)
from trainables.datasets.own_data.paths import ImagePaths, find_images
from trainables.datasets.own_data.split_names import split_meant
from trainables.datasets.own_data.tables.columns import OPTIONS, Asked
from trainables.datasets.own_data.tables.csv_columns import (
    Columns,
    find_columns,
    find_columns_to_predict,
)
from trainables.datasets.own_data.tables.csv_pixels import PixelRows
from trainables.datasets.own_data.tables.csv_rows import Row, read_rows
from trainables.datasets.own_data.tables.csv_table import Table, open_table
from trainables.datasets.source import Item, Listing, PathTo, SourceKind, Split

SOURCE = SourceKind(
    argument=PathTo.FILE,
    options=OPTIONS,
    help="images by path or as pixels, labels, perhaps splits, in columns",
    is_own_data=True,
    open=lambda spec, data_dir: CsvFile(spec.path, Asked(**spec.options)),
)


class _Understood(NamedTuple):
    table: Table
    columns: Columns
    paths: ImagePaths
    rows: list[Row]


@dataclass(frozen=True)
class CsvFile:
    """Reads a CSV; the options name what does not have a usual name or place."""

    path: Path
    asked: Asked

    @cached_property
    def _understood(self) -> "_Understood":
        """Read the file once, for the list of files and for the images.

        Raises `DatasetError` where it is no CSV in UTF-8, or lacks a column.
        """
        table = open_table(self.path)
        columns = find_columns(table, self.asked)
        paths = self._find_images(table, columns)
        return _Understood(table, columns, paths, list(read_rows(table, columns, paths)))

    @property
    def root(self) -> Path:
        """Give the file's folder, which its paths are relative to."""
        return self.path.parent

    def files(self) -> Iterable[str]:
        """List the CSV and the images that it names."""
        yield self.path.name
        yield from (row.image for row in self._understood.rows if row.image and row.problem is None)

    def read(self) -> Listing:
        """List the images line by line, with all problems."""
        table, columns, paths, lines = self._understood
        problems = [f"{row.location}: {row.problem}" for row in lines if not row.is_readable]
        rows, notes = drop_hidden(
            [row for row in lines if row.is_readable],
            lambda row: (row.label, split_meant(row.split)),
        )
        spelling, spelling_notes = join_spellings(row.label for row in rows)
        class_names = ordered_class_names(
            spelling[row.label]
            for row in rows
            if spelling[row.label] and split_meant(row.split) is Split.TRAIN
        )
        numbers = {name: label for label, name in enumerate(class_names)}
        labels = {written: numbers.get(name) for written, name in spelling.items()}
        sound = [row for row in rows if row.problem is None]
        root = self.root
        files = [] if columns.pixels else [root / row.image for row in sound]
        sound_lines = frozenset(row.line for row in sound)
        return Listing(
            items=[
                Item(
                    row.location,
                    labels[row.label],
                    split_meant(row.split) or Split.TRAIN,
                    row.group,
                )
                for row in sound
            ],
            encoded=PixelRows(table, columns.pixels, sound_lines) if columns.pixels else files,
            class_names=class_names,
            problems=problems + [p for row in rows for p in _problems(row, spelling, numbers)],
            notes=[
                *(*table.notes(), *columns.notes, *paths.all_notes(), *notes, *spelling_notes),
                *(*label_notes(class_names), *paths.links_out(map(str, files))),
            ],
        )

    def rows_to_predict(self) -> tuple[list[Row], Iterable[Encoded], bool]:
        """List the lines without their labels, their images, and whether these are pixels.

        Raises `DatasetError` where the file is no CSV in UTF-8, or lacks a column.
        """
        table = open_table(self.path)
        columns = find_columns_to_predict(table, self.asked.image)
        rows = list(read_rows(table, columns, self._find_images(table, columns)))
        if not columns.pixels:
            return rows, [b"" if row.problem else self.root / row.image for row in rows], False
        lines = frozenset(row.line for row in rows if row.problem is None)
        pixels = iter(PixelRows(table, columns.pixels, lines))
        return rows, (b"" if row.problem else next(pixels) for row in rows), True

    def _find_images(self, table: Table, columns: Columns) -> ImagePaths:
        if columns.image is None:
            return ImagePaths(self.root)
        place = columns.image
        cells = (cells[place] for _, cells in table.rows() if place < len(cells))
        return find_images(self.path, cells, self.asked.images, self.asked.ext)


def _problems(row: Row, spelling: Mapping[str, str], known: Collection[str]) -> Iterator[str]:
    if row.problem:
        yield f"{row.location}: {row.problem}"
    name = spelling[row.label]
    if not name:
        yield f"{row.location}: label missing"
    elif name not in known:
        yield f"{row.location}: {unknown_class(name)}"
    if split_meant(row.split) is None:
        yield f"{row.location}: split {row.split!r}, but must be train, val or test"
