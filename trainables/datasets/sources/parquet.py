"""`parquet:PATH`: a file, or a folder of them, in the image layout of the Hugging Face hub.

The image column is `struct<bytes: binary, path: string>` or plain binary. The label column holds
indices of the class names in the schema's metadata; without such names, every distinct value, text
or number, is a class. In a folder a file's name begins with its split. Rows count from 0.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainables.datasets.errors import DatasetError
from trainables.datasets.own_data.columns import IMAGE_COLUMNS, LABEL_COLUMNS, require_column
from trainables.datasets.own_data.labels import ordered_class_names, unknown_class
from trainables.datasets.own_data.split_names import split_named
from trainables.datasets.source import Item, Listing, PathTo, SourceKind, Split

SOURCE = SourceKind(
    argument=PathTo.FILE_OR_FOLDER,
    options={"image": "NAME", "label": "NAME"},
    help="a file or a folder in the image layout of Hugging Face",
    is_own_data=True,
    open=lambda spec, data_dir: Parquet(spec.path, **spec.options),
)

ROWS_AT_ONCE = 256  # of encoded images in memory


@dataclass(frozen=True, slots=True)
class Part:
    """Describes a file without its images; a label is a class's name, `None` if it is wrong."""

    name: str
    split: Split
    image_column: str
    class_names: tuple[str, ...] | None  # as the metadata has them
    labels: list[str | None]
    problems: list[str]


@dataclass(frozen=True, slots=True)
class Parquet:
    """Reads Parquet files; `image` and `label` name columns that do not have a usual name."""

    path: Path
    image: str | None = None
    label: str | None = None

    @property
    def root(self) -> Path:
        """Give the folder that holds the files."""
        return self.path if self.path.is_dir() else self.path.parent

    def files(self) -> Iterable[str]:
        """List the one file, or those in the folder."""
        if self.path.is_file():
            return [self.path.name]
        return sorted(file.name for file in self.root.glob("*.parquet"))

    def read(self) -> Listing:
        """List the images file by file and row by row, with all problems."""
        parts, problems = [], []
        for file, split in self._splits().items():
            try:
                parts.append(self._read_part(file, split))
            except DatasetError as error:
                problems.append(str(error))
        class_names = _class_names(parts)
        labels = {name: label for label, name in enumerate(class_names)}
        items = []
        for part in parts:
            problems += part.problems
            for row, name in enumerate(part.labels):
                location = f"{part.name}:row {row}"
                items.append(Item(location, labels.get(name or ""), part.split))
                if name is not None and name not in labels:
                    problems.append(f"{location}: {unknown_class(name)}")
        encoded = EncodedRows([(self.root / part.name, part.image_column) for part in parts])
        return Listing(items=items, encoded=encoded, class_names=class_names, problems=problems)

    def _splits(self) -> dict[str, Split | None]:
        """Find the split that begins each file's name, where any file's name does so."""
        words = {name: re.split(r"[^a-z]", name.lower())[0] for name in self.files()}
        splits = {name: split_named(word) for name, word in words.items()}
        if self.path.is_file() or not any(split is not None for split in splits.values()):
            return dict.fromkeys(splits, Split.TRAIN)
        return splits

    def _read_part(self, name: str, split: Split | None) -> Part:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if split is None:
            raise DatasetError(f"{name}: its name begins with none of train, validation and test")
        try:
            with pq.ParquetFile(self.root / name) as file:
                schema = file.schema_arrow
                columns = schema.names
                image = require_column(name, "image", columns, IMAGE_COLUMNS, self.image)
                label = require_column(name, "label", columns, LABEL_COLUMNS, self.label)
                values = file.read(columns=[columns[label]]).column(0).to_pylist()
        except (pa.ArrowException, OSError) as error:
            raise DatasetError(f"{name}: not a Parquet file that can be read: {error}") from None
        if not _holds_bytes(schema.types[image]):
            raise DatasetError(
                f"{name}: column {columns[image]!r} is {schema.types[image]}, but must be binary "
                "or a struct with binary bytes"
            )
        class_names = _names_in_metadata(schema.metadata, columns[label])
        problems = {
            row: problem
            for row, value in enumerate(values)
            if (problem := _label_problem(value, class_names))
        }
        labels = [
            None if row in problems else class_names[value] if class_names else str(value)
            for row, value in enumerate(values)
        ]
        located = [f"{name}:row {row}: {problem}" for row, problem in problems.items()]
        return Part(name, split, columns[image], class_names, labels, located)


@dataclass(frozen=True, slots=True)
class EncodedRows:
    """Iterates over the encoded images of files, few of which are in memory at once."""

    columns: list[tuple[Path, str]]

    def __iter__(self) -> Iterator[bytes]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        for path, column in self.columns:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(ROWS_AT_ONCE, columns=[column]):
                    values = batch.column(0)
                    if pa.types.is_struct(values.type):
                        values = values.field("bytes")
                    yield from (value or b"" for value in values.to_pylist())


def _class_names(parts: list[Part]) -> tuple[str, ...]:
    for part in parts:
        if part.class_names:
            return part.class_names
    to_train = (part.labels for part in parts if part.split is Split.TRAIN)
    return ordered_class_names(name for labels in to_train for name in labels if name is not None)


def _names_in_metadata(metadata: dict[bytes, bytes] | None, column: str) -> tuple[str, ...] | None:
    try:
        described = json.loads((metadata or {})[b"huggingface"])
        return tuple(str(name) for name in described["info"]["features"][column]["names"])
    except (KeyError, TypeError, ValueError):
        return None


def _label_problem(value: Any, class_names: tuple[str, ...] | None) -> str | None:
    if value is None or value == "":
        return "label missing"
    if class_names and not (isinstance(value, int) and 0 <= value < len(class_names)):
        return f"label {value!r} is not the index of one of {len(class_names)} class names"
    if not isinstance(value, int | str):
        return f"label {value!r} is neither a number nor a text"
    return None


def _holds_bytes(arrow_type: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_struct(arrow_type):
        place = arrow_type.get_field_index("bytes")
        return place >= 0 and _holds_bytes(arrow_type.field(place).type)
    return bool(pa.types.is_binary(arrow_type) or pa.types.is_large_binary(arrow_type))
