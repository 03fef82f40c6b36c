"""`parquet:PATH`: a file, or a folder of them, in the image layout of the Hugging Face hub.

The image column is `struct<bytes: binary, path: string>`, plain binary, or text: paths relative to
the file. The label column holds indices of the class names in the schema's metadata; without such
names, every distinct value, text or whole number, is a class. Rows count from 0.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from trainables.datasets.errors import DatasetError
from trainables.datasets.own_data.labels import (
    drop_hidden,
    join_spellings,
    label_notes,
    ordered_class_names,
    unknown_class,
)
from trainables.datasets.own_data.tables.columns import OPTIONS, Asked
from trainables.datasets.own_data.tables.parquet_files import HubFiles, list_parquet, sort_files
from trainables.datasets.own_data.tables.parquet_images import FileImages, ParquetImages
from trainables.datasets.own_data.tables.parquet_rows import ParquetRow, Part, read_part
from trainables.datasets.source import Item, Listing, PathTo, SourceKind, Split

SOURCE = SourceKind(
    argument=PathTo.FILE_OR_FOLDER,
    options=OPTIONS,
    help="a file or a folder in the image layout of Hugging Face",
    is_own_data=True,
    open=lambda spec, data_dir: Parquet(spec.path, Asked(**spec.options)),
)


@dataclass(frozen=True, slots=True)
class Parquet:
    """Reads Parquet files; the options name columns that do not have a usual name."""

    path: Path
    asked: Asked

    @property
    def root(self) -> Path:
        """Give the folder that holds the files."""
        return self.path if self.path.is_dir() else self.path.parent

    def tables(self) -> list[str]:
        """List the one Parquet file, or those in the folder and below."""
        return [self.path.name] if self.path.is_file() else list_parquet(self.root)

    def files(self) -> Iterable[str]:
        """List the Parquet files and the images that they name."""
        names = self.tables()
        yield from names
        for part in self._parts(self._sort(names))[0]:
            yield from map(str, part.paths.values())

    def read(self) -> Listing:
        """List the images file by file and row by row, with all problems."""
        files = self._sort(self.tables())
        parts, problems = self._parts(files)
        located = [(part, row) for part in parts for row in part.rows]
        located, notes = drop_hidden(located, lambda pair: (pair[1].label, pair[1].split))
        names = next((part.class_names for part in parts if part.class_names), None)
        spelling = {row.label: row.label for _, row in located}
        if names is None:
            spelling, spelling_notes = join_spellings(row.label for _, row in located)
            notes += spelling_notes
            names = _classes_to_train(located, spelling)
        labels = {name: label for label, name in enumerate(names)}
        items = []
        kept: dict[str, set[int]] = {part.name: set() for part in parts}
        for part, row in located:
            location, label = f"{part.name}:row {row.row}", spelling[row.label]
            label_problem = row.label_problem
            if label_problem is None and label not in labels:
                label_problem = unknown_class(label)
            found = (row.image_problem, label_problem)
            problems += [f"{location}: {problem}" for problem in found if problem]
            if row.image_problem is None:
                known = None if row.label_problem else labels.get(label)
                items.append(Item(location, known, row.split, row.group))
                kept[part.name].add(row.row)
        guessed = [note for part in parts for note in part.notes]
        return Listing(
            items=items,
            encoded=ParquetImages([self._images(part, kept[part.name]) for part in parts]),
            class_names=names,
            problems=files.problems + problems,
            notes=list(dict.fromkeys([*files.notes, *guessed, *notes, *label_notes(names)])),
        )

    def _sort(self, names: list[str]) -> HubFiles:
        if self.path.is_file():
            return HubFiles(splits=dict.fromkeys(names, Split.TRAIN), problems=[], notes=[])
        return sort_files(names)

    def _parts(self, files: HubFiles) -> tuple[list[Part], list[str]]:
        is_split_known = set(files.splits.values()) != {Split.TRAIN}
        parts, problems = [], []
        for name, split in files.splits.items():
            try:
                part = read_part(self.root, name, split, self.asked, is_split_known=is_split_known)
                parts.append(part)
            except DatasetError as error:
                problems.append(str(error))
        return parts, problems

    def _images(self, part: Part, rows: set[int]) -> FileImages:
        return FileImages(
            file=self.root / part.name, column=part.image_column, rows=rows, paths=part.paths
        )


def _classes_to_train(
    located: Sequence[tuple[Part, ParquetRow]], spelling: dict[str, str]
) -> tuple[str, ...]:
    return ordered_class_names(
        spelling[row.label]
        for _, row in located
        if row.split is Split.TRAIN and not row.label_problem
    )
