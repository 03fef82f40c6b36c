"""The leaderboard: one Parquet row per retrained configuration, one part file per run.

    <storage>/leaderboards/<job>/<run_id>.parquet

A part is replaced as a whole and never edited, so runs on many machines may add to one folder.
"""

import dataclasses
import hashlib
import json
import math
import os
import types
import typing
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

SCHEMA_VERSION = 1

Origin = Literal["search", "published", "default"]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One retrained configuration. The fields are the columns, in this order.

    Accuracies are fractions in [0, 1]. What does not exist is null, never NaN. A column added after
    version 1 must be nullable: parts written before it read with null.
    """

    schema_version: Annotated[int, "version of these columns"] = SCHEMA_VERSION
    run_id: Annotated[str, "name of the run, unique within the job"]
    job: Annotated[str, "name of the job"]
    dataset: Annotated[str, "name of the dataset"]
    dataset_fingerprint: Annotated[str, "sha256 of the decoded images and labels"]
    split_fingerprint: Annotated[str, "sha256 of the train, validation and test indices"]
    architecture: Annotated[str, "name of the architecture"]
    features: Annotated[str | None, "what was computed from the images first, JSON"] = None
    weights: Annotated[str | None, "what networks started from: scratch, imagenet or a file"] = None
    origin: Annotated[Origin, "who proposed the configuration: search, published or default"]
    system: Annotated[str | None, "a published configuration's number in its report"] = None
    reported_accuracy: Annotated[float | None, "what that report claims; null if nothing"] = None
    reported_metric: Annotated[str | None, "what the claimed figure is: test, val, best, ..."] = (
        None
    )
    assumed: Annotated[str | None, "names in config that the report does not give, JSON"] = None
    trial_number: Annotated[int, "number of the trial in the run's study"]
    lr: Annotated[float | None, "initial learning rate"]
    l2: Annotated[float | None, "weight_decay of the optimizer"]
    batch_size: Annotated[int | None, "images per training step"]
    dropout: Annotated[float | None, "dropout probability; null if the architecture has none"]
    optimizer: Annotated[str | None, "name of the optimizer"]
    schedule: Annotated[str | None, "name of the learning-rate schedule"]
    epochs: Annotated[int, "epochs of the retraining"]
    config: Annotated[str, "the complete configuration, JSON"]
    num_parameters: Annotated[int | None, "trainable parameters of the model"]
    search_val_accuracy: Annotated[float | None, "validation accuracy that the search saw"]
    val_accuracy: Annotated[float | None, "validation accuracy, mean over seeds; null if diverged"]
    val_accuracy_per_seed: Annotated[tuple[float | None, ...], "one per seed; null if diverged"]
    winner: Annotated[bool, "highest val_accuracy of its run"]
    test_accuracy: Annotated[float | None, "test accuracy, mean over seeds; null if diverged"]
    test_accuracy_std: Annotated[float | None, "sample standard deviation over seeds (ddof=1)"]
    test_accuracy_per_seed: Annotated[tuple[float | None, ...], "one per seed; null if diverged"]
    test_macro_f1: Annotated[float | None, "test F1, mean over classes, then over seeds"]
    test_loss: Annotated[float | None, "test cross-entropy in nats, mean over seeds"]
    num_seeds: Annotated[int, "seeds retrained"]
    num_trials: Annotated[int, "trials of the run's search"]
    train_seconds: Annotated[float, "retraining time of this configuration, summed over seeds"]
    search_seconds: Annotated[float, "wall time of the run's search"]
    device: Annotated[str, "device that trained, such as cpu or the GPU's name"]
    precision: Annotated[str, "number format and memory layout used in training"]
    git_commit: Annotated[str | None, "commit of the code; null outside a repository"]
    versions: Annotated[str, "versions of Python and the libraries, JSON"]
    command: Annotated[str, "command that repeats the run"]
    finished_at: Annotated[datetime, "when the run finished, UTC"]

    def __post_init__(self) -> None:
        if self.finished_at.tzinfo is None:
            raise ValueError(f"finished_at is {self.finished_at}, but must have a time zone")
        for column in dataclasses.fields(self):
            value = getattr(self, column.name)
            for number in value if isinstance(value, tuple) else (value,):
                _check_number(column.name, number)


def _check_number(name: str, value: object) -> None:
    if not isinstance(value, float):
        return
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value}, but must be finite, or None where there is no value")
    if ("accuracy" in name or name == "test_macro_f1") and not 0 <= value <= 1:
        raise ValueError(f"{name} is {value}, but must be a fraction in [0, 1]")


_ARROW_TYPES = {
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
    Origin: pa.string(),
    datetime: pa.timestamp("us", tz="UTC"),
    tuple[float | None, ...]: pa.list_(pa.float64()),
}


def _build_schema() -> Any:
    fields = []
    for name, hint in typing.get_type_hints(Row, include_extras=True).items():
        annotation, doc = typing.get_args(hint)
        nullable = isinstance(annotation, types.UnionType)
        kind = typing.get_args(annotation)[0] if nullable else annotation
        fields.append(pa.field(name, _ARROW_TYPES[kind], nullable, {"doc": doc}))
    return pa.schema(fields)


_DIGEST = b"rows_sha256"

SCHEMA = _build_schema()
"""Arrow's view of `Row`; each field's metadata has the column's one-line documentation, `doc`."""


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
    return Row(**values)
