"""The leaderboard: one Parquet row per retrained configuration, one part file per run.

    <storage>/leaderboards/<job>/<run_id>.parquet

A part is replaced as a whole and never edited, so runs on many machines may add to one folder.
"""

import dataclasses
import hashlib
import json
import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from tune_jobs.engine.results.row import SCHEMA, Row

_DIGEST = b"rows_sha256"


def write_rows(rows: Sequence[Row], storage: Path) -> Path:
    """Write all rows of one run, replacing what this run wrote before; return the part's path.

    A reader sees the old part or the new one, also after a power cut, never a mixture.

    Raises:
        ValueError: there is no row, or the rows are not of one run of one job.
    """
    runs = {(row.job, row.run_id) for row in rows}
    if len(runs) != 1:
        raise ValueError(f"a part holds the rows of one run, but these are of {sorted(runs)}")
    [(job, run_id)] = runs
    folder = storage / "leaderboards" / job
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{run_id}.parquet"
    unfinished = folder / f".{run_id}.parquet.tmp"  # no reader takes a name with this start and end
    table = pa.Table.from_pylist([dataclasses.asdict(row) for row in rows], schema=SCHEMA)
    table = table.replace_schema_metadata({_DIGEST: _compute_digest(table)})
    pq.write_table(table, unfinished, compression="zstd", write_page_checksum=True)
    _sync(unfinished)
    unfinished.replace(part)
    _sync(folder)
    _sync(folder.parent)
    return part


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Leaderboard(NamedTuple):
    """What `read_rows` found."""

    rows: list[Row]
    """In the order of `sort_rows`."""
    warnings: list[str]
    """One line per part that could not be read; its rows are missing above."""


def read_rows(path: Path) -> Leaderboard:
    """Read every part below a storage folder, a leaderboards folder or a job's folder, or one part.

    A part that cannot be read is named in the warnings and does not hide the others.
    """
    rows: list[Row] = []
    warnings: list[str] = []
    for part in _list_parts(path):
        try:
            rows += _read_part(part)
        except Exception as error:  # damaged bytes raise anything from OSError to KeyError
            warnings.append(f"{part} is damaged or no leaderboard: {error}")
    return Leaderboard(sort_rows(rows), warnings)


def sort_rows(rows: Iterable[Row]) -> list[Row]:
    """By job, then dataset, then test accuracy, best first and null last."""

    def rank(row: Row) -> tuple[str, str, float]:
        worst_last = math.inf if row.test_accuracy is None else -row.test_accuracy
        return (row.job, row.dataset, worst_last)

    return sorted(rows, key=rank)


def _list_parts(path: Path) -> Iterable[Path]:
    if path.is_file():
        return [path]
    boards = path / "leaderboards"
    found = (boards if boards.is_dir() else path).rglob("*.parquet")
    return sorted(part for part in found if not part.name.startswith((".", "_")))


def _read_part(part: Path) -> list[Row]:
    with pq.ParquetFile(part, page_checksum_verification=True) as file:
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
    """sha256 of names and values: page checksums do not cover Parquet's headers and footer."""
    return hashlib.sha256(json.dumps(table.to_pylist(), default=str).encode()).hexdigest().encode()


def _build_row(values: dict[str, Any]) -> Row:
    for name in ("val_accuracy_per_seed", "test_accuracy_per_seed"):
        values[name] = tuple(values[name])
    if values["seeds"] is not None:
        values["seeds"] = tuple(values["seeds"])
    return Row(**values)
