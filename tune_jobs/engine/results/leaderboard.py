"""Store the leaderboard: one Parquet row per retrained configuration, one part file per run.

    <storage>/leaderboards/<job>/<run_id>.parquet

A part is replaced as a whole and never edited, so runs on many machines may add to one folder.
"""

import dataclasses
import hashlib
import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from trainables.storage import Storage, split_name
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.results.row_schema import SCHEMA, build_schema
from tune_jobs.engine.run_state.folder import open_place

SUFFIX = ".parquet"
_DIGEST = b"rows_sha256"


def write_rows(rows: Sequence[Row], storage: Storage) -> str:
    """Write all rows of one run, replacing what this run wrote before; return the part's path or
    URI.

    A reader sees the old part or the new one, also after a power cut, never a mixture.

    Raises:
        ValueError: There is no row, or the rows are not of one run of one job.
    """
    runs = {(row.job, row.run_id) for row in rows}
    if len(runs) != 1:
        raise ValueError(f"a part holds the rows of one run, but these are of {sorted(runs)}")
    [(job, run_id)] = runs
    schema = build_schema(type(rows[0]))
    table = pa.Table.from_pylist([dataclasses.asdict(row) for row in rows], schema=schema)
    table = table.replace_schema_metadata({_DIGEST: _compute_digest(table)})
    content = io.BytesIO()
    pq.write_table(table, content, compression="zstd", write_page_checksum=True)
    name = _part_of(job, run_id)
    storage.write(name, content.getvalue())
    return storage.child(name).uri


def read_run(storage: Storage, job: str, run_id: str) -> list[Row]:
    """Read what `write_rows` has written of one run; no rows where it has not.

    Raises:
        OSError: The part cannot be reached (`StorageError` from an object store).
    """
    name = _part_of(job, run_id)
    try:
        content = storage.read(name)
    except FileNotFoundError:
        return []
    try:
        return _read_part(content)
    except Exception as error:  # damaged bytes raise anything from OSError to KeyError
        print(f"warning: {storage.child(name).uri} is damaged: {error}", file=sys.stderr)
        return []


def _part_of(job: str, run_id: str) -> str:
    return f"leaderboards/{job}/{run_id}{SUFFIX}"


class Leaderboard(NamedTuple):
    """Holds what `read_rows` has found."""

    rows: list[Row]
    """The rows, in the order of `sort_rows`."""
    warnings: list[str]
    """One line per part that could not be read; `rows` lacks its rows."""


def read_rows(path: str | Path) -> Leaderboard:
    """Read every part below a storage, its `leaderboards` or a job's folder there, or one part; by
    path or URI.

    A part that is damaged is named in the warnings and does not hide the others.

    Raises:
        RequestError: The path is no place that can be opened.
        OSError: The place, or a part, cannot be reached (`StorageError` from an object store).
    """
    rows: list[Row] = []
    warnings: list[str] = []
    place, parts = _find_parts(path)
    for part in parts:
        content = place.read(part)
        try:
            rows += _read_part(content)
        except Exception as error:  # damaged bytes raise anything from OSError to KeyError
            warnings.append(f"{place.child(part).uri} is damaged or no leaderboard: {error}")
    return Leaderboard(sort_rows(rows), warnings)


def sort_rows(rows: Iterable[Row]) -> list[Row]:
    """Sort rows by job, then dataset, then by the metric that compares them, best first and null
    last."""

    def rank(row: Row) -> tuple[str, str, str, float]:
        return row.job, row.dataset, row.compared_by.name, -row.score

    return sorted(rows, key=rank)


def _find_parts(path: str | Path) -> tuple[Storage, list[str]]:
    """Return a place, and the names of the parts in it."""
    folder, name = split_name(path)
    if name.endswith(SUFFIX):
        return open_place(folder), [name]
    place = open_place(path)
    boards = place.child("leaderboards")
    if found := list(filter(_is_part, boards.names())):
        return boards, found
    at_most_jobs_folders = [name for name in place.names() if name.count("/") <= 1]
    return place, list(filter(_is_part, at_most_jobs_folders))


def _is_part(name: str) -> bool:
    return name.endswith(SUFFIX) and not name.rpartition("/")[2].startswith((".", "_"))


def _read_part(content: bytes) -> list[Row]:
    with pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True) as file:
        table = file.read()
    written_digest = (table.schema.metadata or {}).get(_DIGEST)
    if written_digest not in (None, _compute_digest(table)):
        raise ValueError("its rows are not those that were written")
    missing = [f.name for f in SCHEMA if not f.nullable and f.name not in table.column_names]
    if missing:
        raise ValueError(f"it has no column {', '.join(missing)}")
    known = table.select([name for name in SCHEMA.names if name in table.column_names])
    nulls = dict.fromkeys(SCHEMA.names)
    return [_build_row({**nulls, **values}) for values in known.to_pylist()]


def _compute_digest(table: Any) -> bytes:
    """Hash names and values by sha256, since page checksums do not cover headers and footer."""
    return hashlib.sha256(json.dumps(table.to_pylist(), default=str).encode()).hexdigest().encode()


def _build_row(stored: Mapping[str, Any]) -> Row:
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()
    }
    return Row(**values)
