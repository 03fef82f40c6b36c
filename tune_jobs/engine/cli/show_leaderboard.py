"""What `tune-jobs leaderboard [PATH] [--format table|json|csv|md]` prints."""

import csv
import dataclasses
import io
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from rich.console import Console

from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.results.comparison.boards import find_storage, split_boards
from tune_jobs.engine.results.leaderboard import read_rows
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.results.table import (
    build_baseline,
    build_columns,
    build_title,
    render_table,
)

Format = Literal["table", "json", "csv", "md"]

JSON_COLUMNS = ("features", "assumed", "config", "hardware", "versions", "ensemble")


def show(path: str | Path, format: Format, console: Console) -> None:
    """Print the leaderboard at `path`: a storage folder, a folder inside it, or one part.

    `table` and `md` have the columns that matter most, one table per data set and split; `json`
    and `csv` have every column. Parts that cannot be read are named on standard error.

    Raises:
        RequestError: there is no row to show.
    """
    rows, warnings = read_rows(path)
    for warning in warnings:
        Console(stderr=True).print(f"warning: {warning}", markup=False, soft_wrap=True)
    if not rows:
        raise RequestError(
            f"{path} has no leaderboard that can be read: run a job first, or give the --storage "
            "of an earlier run (`python -m tune_jobs` lists the jobs)"
        )
    boards = split_boards(rows, find_storage(path))
    rows = [row for board in boards for row in board]
    match format:
        case "table":
            for board in boards:
                console.print(render_table(board, console.width))
        case "md":
            console.out("\n\n".join(map(_format_markdown, boards)), highlight=False)
        case "json":
            console.out(format_json(rows), highlight=False)
        case "csv":
            console.out(format_csv(rows), end="", highlight=False)


def _format_markdown(rows: Sequence[Row]) -> str:
    columns = build_columns(rows)
    lines = [
        [column.header for column in columns],
        ["--:" if column.justify == "right" else ":--" for column in columns],
        *(list(map(_escape, cells)) for cells in zip(*(c.cells for c in columns), strict=True)),
    ]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return "\n\n".join([f"### {build_title(rows)}", table, *build_baseline(rows)])


def _escape(cell: str) -> str:
    return cell.strip().replace("|", r"\|").replace("*", r"\*")


def _build_object(row: Row) -> dict[str, object]:
    found = dataclasses.asdict(row) | {"finished_at": row.finished_at.isoformat()}
    return found | {name: json.loads(str(found[name])) for name in JSON_COLUMNS if found[name]}


def format_json(rows: Sequence[Row]) -> str:
    """Write every column of every row; what is JSON in a column is JSON here."""
    return json.dumps(list(map(_build_object, rows)), indent=2)


def format_csv(rows: Sequence[Row]) -> str:
    """Write every column of every row; a list is JSON, and null is empty."""
    text = io.StringIO()
    names = [column.name for column in dataclasses.fields(rows[0])]
    table = csv.DictWriter(text, names, lineterminator="\n")
    table.writeheader()
    for row in rows:
        table.writerow({name: _build_cell(getattr(row, name)) for name in names})
    return text.getvalue()


def _build_cell(value: object) -> object:
    match value:
        case tuple():
            return json.dumps(value)
        case datetime():
            return value.isoformat()
        case _:
            return value
