"""A column is one annotated field: added from outside the package, written and read."""

import csv
import dataclasses
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from trainables.storage import LocalStorage
from tune_jobs.engine.cli.show_leaderboard import format_csv, format_json
from tune_jobs.engine.results.leaderboard import read_rows, write_rows
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.results.row_schema import build_schema

FROZEN: dict[str, Any] = {"frozen": True, "kw_only": True}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Wider(Row):
    energy_joules: Annotated[tuple[float | None, ...] | None, "what each seed took"] = None


@pytest.fixture
def row(make_row: Callable[..., Row]) -> Wider:
    values: dict[str, Any] = {
        f.name: getattr(make_row(0.9), f.name) for f in dataclasses.fields(Row)
    }
    return Wider(**values, energy_joules=(1.5, None))


def test_parquet_has_it_with_its_documentation(row: Wider, tmp_path: Path) -> None:
    part = write_rows([row], LocalStorage(tmp_path))
    assert pd.read_parquet(part)["energy_joules"].iloc[0][0] == 1.5
    field = pq.read_schema(part).field("energy_joules")
    assert field.metadata[b"doc"] == b"what each seed took"
    assert field.nullable
    [read] = read_rows(tmp_path).rows
    assert read.test_accuracy == 0.9, "who does not know the column reads the others"


def test_json_and_csv_have_it(row: Wider) -> None:
    [from_json] = json.loads(format_json([row]))
    assert from_json["energy_joules"] == [1.5, None]
    [from_csv] = csv.DictReader(io.StringIO(format_csv([row])))
    assert json.loads(from_csv["energy_joules"]) == [1.5, None]


def test_a_type_that_no_column_has_is_refused() -> None:
    phase = ("phase", Annotated[complex, "of a wave"])
    strange = dataclasses.make_dataclass("Strange", [phase], bases=(Row,), **FROZEN)
    with pytest.raises(KeyError, match="complex"):
        build_schema(strange)
