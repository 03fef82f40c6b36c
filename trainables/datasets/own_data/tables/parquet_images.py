"""The images in Parquet files: encoded in the rows, or files that the rows name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables.datasets.decoding.decode import Encoded
from trainables.datasets.errors import DatasetError

if TYPE_CHECKING:
    import pyarrow.parquet as pq

ROWS_AT_ONCE = 256  # of encoded images in memory


@dataclass(frozen=True, kw_only=True, slots=True)
class FileImages:
    """Says which images of a file are read.

    Attributes:
        file: The Parquet file.
        column: Its image column.
        rows: The rows to read.
        paths: The files of the rows that name one, by row.
    """

    file: Path
    column: str
    rows: Set[int]
    paths: Mapping[int, Path]


@dataclass(frozen=True, slots=True)
class ParquetImages:
    """Iterates over the encoded images of files, few of which are in memory at once."""

    files: list[FileImages]

    def __iter__(self) -> Iterator[Encoded]:
        for given in self.files:
            for row, content in enumerate(_contents(given.file, given.column)):
                if row in given.rows:
                    yield given.paths.get(row, content or b"")


@contextmanager
def open_parquet(file: Path) -> Iterator[pq.ParquetFile]:
    """Open a file; raises `DatasetError`, as what is done with it does where it is damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as opened:
            yield opened
    except (pa.ArrowException, OSError) as error:
        raise DatasetError(f"{file.name}: not a Parquet file that can be read: {error}") from None


def check_image_type(file: str, column: str, arrow_type: Any) -> None:
    """Raise `DatasetError` where a column can hold neither images nor paths."""
    if not (_holds_bytes(arrow_type) or is_text(arrow_type)):
        raise DatasetError(
            f"{file}: column {column!r} is {arrow_type}, but must be binary, a struct with binary "
            "bytes, or text: paths of images"
        )


def named_paths(opened: pq.ParquetFile, column: str) -> dict[int, str]:
    """Read the paths in the rows that hold no image of their own.

    Groups of rows whose bytes are all there, as the file's statistics tell, are not read for it.
    """
    import pyarrow as pa

    arrow_type = opened.schema_arrow.field(column).type
    if is_text(arrow_type):
        values = opened.read(columns=[column]).column(0).to_pylist()
        return {row: value for row, value in enumerate(values) if value}
    if not pa.types.is_struct(arrow_type) or arrow_type.get_field_index("path") < 0:
        return {}
    found: dict[int, str] = {}
    first = 0
    for group in range(opened.num_row_groups):
        if _may_lack_bytes(opened.metadata.row_group(group), f"{column}.bytes"):
            batches = opened.iter_batches(ROWS_AT_ONCE, row_groups=[group], columns=[column])
            values = (value for batch in batches for value in batch.column(0).to_pylist())
            found |= {row: v["path"] for row, v in enumerate(values, first) if _names_file(v)}
        first += opened.metadata.row_group(group).num_rows
    return found


def _may_lack_bytes(group: Any, leaf: str) -> bool:
    """Tell whether the bytes of a row may be missing or empty, by the statistics of a group."""
    chunks = (group.column(place) for place in range(group.num_columns))
    statistics = next((chunk.statistics for chunk in chunks if chunk.path_in_schema == leaf), None)
    if statistics is None or not statistics.has_null_count or statistics.null_count:
        return True
    return bool(statistics.has_min_max and not statistics.min)


def _names_file(value: dict[str, Any] | None) -> bool:
    return value is not None and not value["bytes"] and bool(value["path"])


def _contents(file: Path, column: str) -> Iterator[bytes | None]:
    import pyarrow as pa

    with open_parquet(file) as opened:
        for batch in opened.iter_batches(ROWS_AT_ONCE, columns=[column]):
            values = batch.column(0)
            if pa.types.is_struct(values.type):
                values = values.field("bytes")
            if is_text(values.type):
                yield from (None for _ in range(len(values)))
            else:
                yield from values.to_pylist()


def _holds_bytes(arrow_type: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_struct(arrow_type):
        place = arrow_type.get_field_index("bytes")
        return place >= 0 and _holds_bytes(arrow_type.field(place).type)
    kinds = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view)
    return any(is_kind(arrow_type) for is_kind in kinds)


def is_text(arrow_type: Any) -> bool:
    """Tell whether a column holds text, also as polars and as pandas' categories write it."""
    import pyarrow as pa

    if pa.types.is_dictionary(arrow_type):
        return is_text(arrow_type.value_type)
    kinds = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(is_kind(arrow_type) for is_kind in kinds)
