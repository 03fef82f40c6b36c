"""What `python -m tune_jobs leaderboard [PATH] [--format table|json|csv|md]` prints."""

import csv
import dataclasses
import io
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.results.leaderboard import Row, read_rows, sort_rows

Format = Literal["table", "json", "csv", "md"]


def show(path: Path, format: Format, console: Console) -> None:
    """Print the leaderboard at `path`: a storage folder, a folder inside it, or one part.

    `table` and `md` have the columns that matter most, one table per job and dataset; `json` and
    `csv` have every column. Parts that cannot be read are named on standard error.

    Raises:
        RequestError: there is no row to show.
    """
    rows, warnings = read_rows(path)
    for warning in warnings:
        Console(stderr=True).print(f"warning: {warning}", markup=False, soft_wrap=True)
    if not rows:
        problem = "has no leaderboard that can be read" if path.exists() else "does not exist"
        raise RequestError(
            f"{path} {problem}: run a job first, or give the --storage of an earlier run "
            "(`python -m tune_jobs` lists the jobs)"
        )
    match format:
        case "table":
            for board in _split(rows):
                console.print(render_table(board, console.width))
        case "md":
            console.out("\n\n".join(map(_format_markdown, _split(rows))), highlight=False)
        case "json":
            console.out(json.dumps(list(map(_build_object, rows)), indent=2), highlight=False)
        case "csv":
            console.out(_format_csv(rows), end="", highlight=False)


class _Column(NamedTuple):
    header: str
    format: Callable[[Row], str]
    justify: Literal["left", "right"] = "right"


def _format_number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2g}"


def _format_fraction(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _format_count(value: int | None) -> str:
    if value is None:
        return "-"
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if value >= size:
            return f"{value / size:.1f}{unit}"
    return str(value)


def _format_test(row: Row) -> str:
    if row.test_accuracy is None:
        return "diverged"
    spread = "" if row.test_accuracy_std is None else f" ± {row.test_accuracy_std:.4f}"
    return f"{row.test_accuracy:.4f}{spread}"


_COLUMNS = (  # the ones that matter most first: a narrow terminal shows the first few
    _Column("test accuracy", _format_test, "left"),
    _Column("val", lambda row: _format_fraction(row.val_accuracy)),
    _Column("origin", lambda row: row.origin, "left"),
    _Column("trial", lambda row: str(row.trial_number)),
    _Column("F1", lambda row: _format_fraction(row.test_macro_f1)),
    _Column("params", lambda row: _format_count(row.num_parameters)),
    _Column("lr", lambda row: _format_number(row.lr)),
    _Column("l2", lambda row: _format_number(row.l2)),
    _Column("batch", lambda row: "-" if row.batch_size is None else str(row.batch_size)),
    _Column("optimizer", lambda row: row.optimizer or "-", "left"),
    _Column("schedule", lambda row: row.schedule or "-", "left"),
    _Column("dropout", lambda row: _format_number(row.dropout)),
    _Column("epochs", lambda row: str(row.epochs)),
    _Column("seeds", lambda row: str(row.num_seeds)),
    _Column("run", lambda row: row.run_id, "left"),
)


def render_table(rows: Sequence[Row], width: int = 80) -> Table:
    """Build the table of one job's rows on one dataset, best first.

    It has as many columns as fit in `width` characters, and cuts no number.
    """
    rows = sort_rows(rows)
    table = Table(
        title=Text(_build_title(rows)),
        caption="* the run's winner, chosen by validation accuracy; ± is over seeds",
        box=None,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column("#", justify="right")
    columns = list(_fit(rows, width))
    for column in columns:
        table.add_column(column.header, justify=column.justify, overflow="fold")
    for mark, row in zip(_build_marks(rows), rows, strict=True):
        cells = [mark, *(column.format(row) for column in columns)]
        table.add_row(*map(Text, cells), style="bold" if row.winner else None)
    return table


def _fit(rows: Sequence[Row], width: int) -> Iterator[_Column]:
    used = max(map(cell_len, _build_marks(rows)))
    for column in _COLUMNS:
        cells = (column.header, *map(column.format, rows))
        used += 1 + max(map(cell_len, cells))
        if used > width:
            return
        yield column


def _format_markdown(rows: Sequence[Row]) -> str:
    lines = [
        ["#", *(column.header for column in _COLUMNS)],
        ["--:", *("--:" if column.justify == "right" else ":--" for column in _COLUMNS)],
    ]
    for mark, row in zip(_build_marks(rows), rows, strict=True):
        cells = (column.format(row).replace("|", r"\|") for column in _COLUMNS)
        lines.append([mark.replace("*", r"\*"), *cells])
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"### {_build_title(rows)}\n\n{table}"


def _build_marks(rows: Sequence[Row]) -> list[str]:
    return [f"{'*' if row.winner else ''}{rank}" for rank, row in enumerate(rows, start=1)]


def _build_title(rows: Sequence[Row]) -> str:
    return f"{rows[0].job} on {rows[0].dataset}"


def _build_object(row: Row) -> dict[str, object]:
    return dataclasses.asdict(row) | {
        "config": json.loads(row.config),
        "versions": json.loads(row.versions),
        "finished_at": row.finished_at.isoformat(),
    }


def _format_csv(rows: Iterable[Row]) -> str:
    """Every column; a list is JSON, and null is empty."""
    text = io.StringIO()
    names = [column.name for column in dataclasses.fields(Row)]
    table = csv.DictWriter(text, names, lineterminator="\n")
    table.writeheader()
    for row in rows:
        table.writerow(
            dataclasses.asdict(row)
            | {
                "val_accuracy_per_seed": json.dumps(row.val_accuracy_per_seed),
                "test_accuracy_per_seed": json.dumps(row.test_accuracy_per_seed),
                "finished_at": row.finished_at.isoformat(),
            }
        )
    return text.getvalue()


def _split(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """One list per job and dataset, of rows in the order of `sort_rows`."""
    for _, board in itertools.groupby(rows, key=lambda row: (row.job, row.dataset)):
        yield list(board)
