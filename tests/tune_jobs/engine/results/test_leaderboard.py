import dataclasses
import math
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.tune_jobs.engine.parts import write_part
from tune_jobs.engine.results.leaderboard import read_rows, sort_rows
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.results.row_schema import SCHEMA


def build_row(**changes: Any) -> Row:
    values: dict[str, Any] = {
        "run_id": "run-1",
        "job": "digits_cnn",
        "dataset": "digits",
        "dataset_fingerprint": "a" * 64,
        "split_fingerprint": "b" * 64,
        "architecture": "cnn",
        "origin": "search",
        "trial_number": 7,
        "lr": 1e-3,
        "l2": 1e-4,
        "batch_size": 64,
        "dropout": None,
        "optimizer": "adam",
        "schedule": "cosine",
        "epochs": 10,
        "config": '{"lr": 0.001}',
        "num_parameters": 12_345,
        "search_val_accuracy": 0.9,
        "val_accuracy": 0.91,
        "val_accuracy_per_seed": (0.9, 0.92),
        "winner": True,
        "test_accuracy": 0.93,
        "test_accuracy_std": 0.0141,
        "test_accuracy_per_seed": (0.92, 0.94),
        "test_macro_f1": 0.92,
        "test_loss": 0.3,
        "num_seeds": 2,
        "num_trials": 20,
        "train_seconds": 3.5,
        "search_seconds": 60.0,
        "device": "cpu",
        "precision": "bf16 channels_last",
        "git_commit": None,
        "versions": '{"python": "3.11"}',
        "command": "python -m tune_jobs.digits_cnn",
        "finished_at": datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC),
    }
    return Row(**(values | changes))


DIVERGED = {
    "trial_number": 0,
    "origin": "published",
    "winner": False,
    "val_accuracy": None,
    "val_accuracy_per_seed": (None, 0.4),
    "test_accuracy": None,
    "test_accuracy_std": None,
    "test_accuracy_per_seed": (None, 0.41),
    "test_macro_f1": None,
    "test_loss": None,
}


def test_rows_are_read_back_equal_and_best_first(tmp_path: Path) -> None:
    rows = [build_row(**DIVERGED), build_row(winner=False, test_accuracy=0.8), build_row()]
    part = write_part(rows, tmp_path)
    assert part == tmp_path / "leaderboards" / "digits_cnn" / "run-1.parquet"
    assert read_rows(tmp_path) == (rows[::-1], [])


def test_any_folder_above_a_part_can_be_read(tmp_path: Path) -> None:
    part = write_part([build_row()], tmp_path)
    pq.write_table(pa.table({"features": [1.0]}), tmp_path / "other.parquet")  # not a leaderboard
    for path in (tmp_path, tmp_path / "leaderboards", part.parent, part):
        assert read_rows(path) == ([build_row()], [])


def test_a_storage_without_leaderboards_is_empty_and_no_fault(tmp_path: Path) -> None:
    predictions = tmp_path / "runs" / "digits_cnn" / "one" / "checkpoints" / "retrain-0000-seed-0"
    predictions.mkdir(parents=True)
    pq.write_table(pa.table({"label": [1]}), predictions / "predictions.parquet")
    assert read_rows(tmp_path) == ([], [])


def test_a_second_run_adds_its_rows_and_a_repeated_one_replaces_its_own(tmp_path: Path) -> None:
    first, second = build_row(run_id="run-1"), build_row(run_id="run-2", test_accuracy=0.5)
    other = build_row(job="fashion_resnet")
    for row in (first, second, other):
        write_part([row], tmp_path)
    assert read_rows(tmp_path).rows == [first, second, other]
    better = build_row(run_id="run-2", test_accuracy=0.99)
    write_part([better], tmp_path)
    assert read_rows(tmp_path).rows == [better, first, other]


def test_rows_of_two_runs_or_of_none_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="run-2"):
        write_part([build_row(), build_row(run_id="run-2")], tmp_path)
    with pytest.raises(ValueError, match="one run"):
        write_part([], tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("test_accuracy", 93.0),
        ("val_accuracy_per_seed", (0.9, -0.1)),
        ("test_loss", math.nan),
        ("test_accuracy", math.nan),
        ("lr", math.inf),
        ("finished_at", datetime(2026, 1, 2)),
    ],
)
def test_a_row_refuses_what_cannot_be_true(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        build_row(**{name: value})


def test_a_time_in_another_zone_is_kept_as_utc(tmp_path: Path) -> None:
    there = datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=5)))
    write_part([build_row(finished_at=there)], tmp_path)
    [row] = read_rows(tmp_path).rows
    assert row.finished_at == there
    assert row.finished_at.utcoffset() == timedelta(0)


def test_ties_and_nulls_have_a_stable_order() -> None:
    rows = [build_row(**DIVERGED), build_row(trial_number=1), build_row(trial_number=2)]
    assert [row.trial_number for row in sort_rows(rows)] == [1, 2, 0]


def test_a_half_written_part_is_ignored_by_every_reader(tmp_path: Path) -> None:
    part = write_part([build_row()], tmp_path)
    part.with_name(".run-2.parquet.tmp").write_bytes(part.read_bytes()[:1_000])
    boards = tmp_path / "leaderboards"
    assert read_rows(tmp_path) == ([build_row()], [])
    assert len(pd.read_parquet(boards)) == 1
    assert len(pl.read_parquet(boards / "**/*.parquet")) == 1
    assert duckdb.sql(f"select run_id from '{boards}/**/*.parquet'").fetchall() == [("run-1",)]


@pytest.mark.parametrize("name", ["._run-1.parquet", "_metadata.parquet"])
def test_what_file_managers_and_other_programs_leave_beside_parts_is_no_part(
    tmp_path: Path, name: str
) -> None:
    part = write_part([build_row()], tmp_path)
    part.with_name(name).write_bytes(b"no parquet")
    assert read_rows(tmp_path) == ([build_row()], [])


def test_writing_leaves_nothing_but_the_part(tmp_path: Path) -> None:
    part = write_part([build_row()], tmp_path)
    assert list(part.parent.iterdir()) == [part]


def test_no_flipped_bit_goes_unseen(tmp_path: Path) -> None:
    good = build_row(run_id="good")
    write_part([good], tmp_path)
    part = write_part([build_row()], tmp_path)
    content = part.read_bytes()
    num_reported = 0
    for position in range(0, len(content), 97):  # pages, their headers, footer
        flipped = bytearray(content)
        flipped[position] ^= 1 << (position % 8)
        part.write_bytes(flipped)
        rows, warnings = read_rows(tmp_path)
        assert good in rows
        if warnings:
            assert str(part) in warnings[0]
            num_reported += 1
        else:
            assert rows == [good, build_row()]
    assert num_reported > 50


def test_a_truncated_part_is_reported(tmp_path: Path) -> None:
    part = write_part([build_row()], tmp_path)
    part.write_bytes(part.read_bytes()[:-100])
    rows, [warning] = read_rows(tmp_path)
    assert rows == []
    assert str(part) in warning


def test_an_older_part_reads_with_nulls_and_a_foreign_file_is_reported(tmp_path: Path) -> None:
    part = write_part([build_row()], tmp_path)
    table = pq.ParquetFile(part).read().replace_schema_metadata(None)
    pq.write_table(table.drop_columns(["dropout", "test_loss"]), part)
    pq.write_table(table.drop_columns(["run_id"]), part.with_name("foreign.parquet"))
    [row], [warning] = read_rows(tmp_path)
    assert row == build_row(dropout=None, test_loss=None)
    assert "foreign.parquet" in warning
    assert "run_id" in warning


def test_a_part_of_version_1_reads_as_one_of_today(tmp_path: Path) -> None:
    """Its columns are those that a row must be given; all others came later, with a default."""
    part = write_part([build_row(schema_version=1)], tmp_path)
    later = [
        column.name
        for column in dataclasses.fields(Row)
        if column.default is not dataclasses.MISSING and column.name != "schema_version"
    ]
    assert {"tie_group", "test_accuracy_low", "gain", "multiply_adds", "hardware"} <= set(later)
    table = pq.ParquetFile(part).read().replace_schema_metadata(None)
    pq.write_table(table.drop_columns(later), part)
    [row], warnings = read_rows(tmp_path)
    assert warnings == []
    assert row == build_row(schema_version=1)
    assert {getattr(row, name) for name in later} == {None}


def test_a_newer_part_reads_without_the_columns_it_adds(tmp_path: Path) -> None:
    part = write_part([build_row()], tmp_path)
    table = pq.ParquetFile(part).read().replace_schema_metadata(None)
    pq.write_table(table.append_column("energy_joules", pa.array([1.0])), part)
    assert read_rows(tmp_path) == ([build_row()], [])


def test_every_column_is_documented_in_the_file(tmp_path: Path) -> None:
    part = write_part([build_row()], tmp_path)
    schema = pq.read_schema(part)
    assert schema.names == [column.name for column in dataclasses.fields(Row)]
    assert all(len(field.metadata[b"doc"]) > 5 for field in schema)
    assert schema.field("finished_at").type == pa.timestamp("us", tz="UTC")
    assert [f.name for f in SCHEMA if not f.nullable] == [
        *("schema_version", "run_id", "job", "dataset", "dataset_fingerprint"),
        *("split_fingerprint", "architecture", "origin", "trial_number", "epochs", "config"),
        *("val_accuracy_per_seed", "winner", "test_accuracy_per_seed", "num_seeds"),
        *("num_trials", "train_seconds", "search_seconds", "device", "precision", "versions"),
        *("command", "finished_at"),
    ]


def test_pandas_polars_and_duckdb_read_the_folder_alike(tmp_path: Path) -> None:
    rows = [build_row(), build_row(run_id="run-2", **DIVERGED)]
    for row in rows:
        write_part([row], tmp_path)
    boards = tmp_path / "leaderboards"
    by_pandas = pd.read_parquet(boards).sort_values("run_id")
    by_polars = pl.read_parquet(boards / "**/*.parquet").sort("run_id")
    by_duckdb = duckdb.sql(
        f"select * from '{boards}/**/*.parquet' order by run_id"
    ).to_arrow_table()

    expected = [
        {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in dataclasses.asdict(row).items()
        }
        for row in rows
    ]
    assert by_polars.to_dicts() == expected
    assert by_duckdb.to_pylist() == expected
    assert pa.Table.from_pandas(by_pandas, schema=SCHEMA).to_pylist() == expected

    assert by_polars.schema["finished_at"] == pl.Datetime("us", "UTC")
    assert by_polars.schema["test_accuracy_per_seed"] == pl.List(pl.Float64)
    assert by_polars.schema["winner"] == pl.Boolean
    assert str(by_pandas["finished_at"].dtype) == "datetime64[us, UTC]"
    assert by_pandas["trial_number"].dtype == "int64"
    assert by_duckdb.schema.field("finished_at").type.unit == "us"
    assert by_duckdb.schema.field("num_parameters").type == pa.int64()
