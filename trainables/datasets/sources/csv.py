"""`csv:PATH`: a column of images, relative to the file's folder, and one of labels.

Images may also be pixels, in a column each or all in one; labels may be a column of 0 and 1 per
class; a column of train, val and test gives the splits.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from trainables.datasets.own_data.labels import (
    drop_hidden,
    join_spellings,
    label_notes,
    ordered_class_names,
    unknown_class,
)
from trainables.datasets.own_data.paths import ImagePaths, find_images, links_out
from trainables.datasets.own_data.pixels import PixelRows
from trainables.datasets.own_data.rows import (
    Asked,
    Columns,
    Row,
    find_columns,
    find_image_column,
    read_rows,
)
from trainables.datasets.own_data.split_names import split_meant
from trainables.datasets.own_data.table import SAMPLE_ROWS, Table, open_table
from trainables.datasets.source import Item, Listing, PathTo, SourceKind, Split

SOURCE = SourceKind(
    argument=PathTo.FILE,
    options={
        **{"image": "NAME", "label": "NAME", "split": "NAME"},
        **{"images": "FOLDER", "ext": "ENDING"},
    },
    help="images by path or as pixels, labels, perhaps splits, in columns",
    is_own_data=True,
    open=lambda spec, data_dir: CsvFile(spec.path, **spec.options),
)


@dataclass(frozen=True, slots=True)
class CsvFile:
    """Reads a CSV; the options name what does not have a usual name or place."""

    path: Path
    image: str | None = None
    label: str | None = None
    split: str | None = None
    images: str | None = None
    ext: str | None = None

    @property
    def root(self) -> Path:
        """Give the file's folder, which its paths are relative to."""
        return self.path.parent

    def files(self) -> Iterable[str]:
        """List the CSV and the images that it names."""
        yield self.path.name
        yield from (row.image for row in self.rows() if row.image and row.problem is None)

    def read(self) -> Listing:
        """List the images line by line, with all problems."""
        table = open_table(self.path)
        columns = find_columns(table, Asked(self.image, self.label, self.split))
        paths = self._find_images(table, columns)
        lines = list(read_rows(table, columns, paths))
        problems = [f"{row.location}: {row.problem}" for row in lines if not row.is_readable]
        rows, notes = drop_hidden(
            [row for row in lines if row.is_readable],
            lambda row: (row.label, split_meant(row.split)),
        )
        spelling, spelling_notes = join_spellings(row.label for row in rows)
        rows = [replace(row, label=spelling[row.label]) for row in rows]
        class_names = ordered_class_names(
            row.label for row in rows if row.label and split_meant(row.split) is Split.TRAIN
        )
        labels = {name: label for label, name in enumerate(class_names)}
        sound = [row for row in rows if row.problem is None]
        files = [self.root / row.image for row in sound]
        sound_lines = frozenset(row.line for row in sound)
        return Listing(
            items=[
                Item(row.location, labels.get(row.label), split_meant(row.split) or Split.TRAIN)
                for row in sound
            ],
            encoded=PixelRows(table, columns.pixels, sound_lines) if columns.pixels else files,
            class_names=class_names,
            problems=problems + [problem for row in rows for problem in _problems(row, labels)],
            notes=[
                *(*table.notes(), *columns.notes, *paths.all_notes(), *notes, *spelling_notes),
                *(*label_notes(class_names), *links_out(self.root, files)),
            ],
        )

    def rows(self, *, labelled: bool = True) -> Iterator[Row]:
        """Yield each line but the header and the blank ones; without labels if told so.

        Raises `DatasetError` where the file is no CSV in UTF-8, or lacks a column.
        """
        table = open_table(self.path)
        if labelled:
            columns = find_columns(table, Asked(self.image, self.label, self.split))
        else:
            columns = Columns(image=find_image_column(table, self.image))
        return read_rows(table, columns, self._find_images(table, columns))

    def _find_images(self, table: Table, columns: Columns) -> ImagePaths:
        if columns.image is None:
            return ImagePaths(self.root)
        place = columns.image
        first = [cells for _, cells in islice(table.rows(), SAMPLE_ROWS)]
        cells = [cells[place] for cells in first if place < len(cells)]
        return find_images(self.path, cells, self.images, self.ext)


def _problems(row: Row, known: Collection[str]) -> Iterator[str]:
    if row.problem:
        yield f"{row.location}: {row.problem}"
    if not row.label:
        yield f"{row.location}: label missing"
    elif row.label not in known:
        yield f"{row.location}: {unknown_class(row.label)}"
    if split_meant(row.split) is None:
        yield f"{row.location}: split {row.split!r}, but must be train, val or test"
