"""Show a board as a table: as many columns as fit, the ones that matter most first."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from tune_jobs.engine.results.comparison.boards import pareto_front, sort_board
from tune_jobs.engine.results.row import Row

Justify = Literal["left", "right"]

NOTES = {
    "*": "the winner of its run, chosen by validation {metric}",
    "!": "cannot win: it exceeds a limit of its run",
    "=": "shares its rank: cannot be told apart",
    "P": "on the front of {compared} against {cost}",
}


class Column(NamedTuple):
    """Holds a column of a table: its header, and a cell for every row."""

    header: str
    cells: list[str]
    justify: Justify = "right"


def render_table(rows: Sequence[Row], width: int = 80) -> Table:
    """Build the table of a board's rows, best first.

    It has as many columns as fit in `width` characters, and cuts no number.
    """
    rows = sort_board(rows)
    columns = list(_fit(build_columns(rows), width))
    table = Table(
        title=Text(build_title(rows)),
        caption=Text("\n".join(["; ".join(build_notes(rows, columns)), *build_baseline(rows)])),
        caption_justify="left",
        box=None,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for column in columns:
        table.add_column(column.header, justify=column.justify, overflow="fold")
    for row, *cells in zip(rows, *(column.cells for column in columns), strict=True):
        table.add_row(*map(Text, cells), style="bold" if row.winner else None)
    return table


def build_columns(rows: Sequence[Row]) -> list[Column]:
    """Build all columns of a board whose rows are in order."""

    def column(header: str, format: Callable[[Row], str], justify: Justify = "right") -> Column:
        return Column(header, list(map(format, rows)), justify)

    several_jobs = len({row.job for row in rows}) > 1
    architectures = {row.architecture for row in rows if not row.ensemble}
    several_architectures = not several_jobs and len(architectures) > 1
    has_claims = any(row.reported_accuracy is not None for row in rows)
    by_accuracy = all(row.compared_by.name == "accuracy" for row in rows)
    has_own_metric = any(row.metric not in (None, row.compared_by.name) for row in rows)
    return [
        Column("#", build_ranks(rows)),
        column("test" if by_accuracy else f"test {name_metric(rows)}", format_test),
        column("95 % interval", format_interval),
        *([column("job", lambda row: row.job, "left")] if several_jobs else []),
        *(
            [column("architecture", lambda row: row.architecture, "left")]
            if several_architectures
            else []
        ),
        *([] if by_accuracy else [column("accuracy", lambda r: format_fraction(r.test_accuracy))]),
        column("val", lambda row: format_fraction(_on_validation(row))),
        *([column("val metric", format_metric)] if has_own_metric else []),
        column("search", lambda row: format_fraction(in_search(row))),
        column("gain", lambda row: format_signed(row.gain)),
        column("origin", lambda row: row.origin, "left"),
        column("trial", lambda row: "-" if row.ensemble else str(row.trial_number)),
        _cost_column(rows),
        column("params", lambda row: format_count(row.num_parameters)),
        *([column("claimed", format_claim, "left")] if has_claims else []),
        column("lr", lambda row: format_number(row.lr)),
        column("l2", lambda row: format_number(row.l2)),
        column("batch", lambda row: "-" if row.batch_size is None else str(row.batch_size)),
        column("gap", lambda row: format_signed(row.selection_gap)),
        column("F1", lambda row: format_fraction(row.test_macro_f1)),
        column("std", lambda row: format_fraction(_std(row))),
        column("train s", lambda row: format_number(row.train_seconds)),
        column("optimizer", lambda row: row.optimizer or "-", "left"),
        column("schedule", lambda row: row.schedule or "-", "left"),
        column("dropout", lambda row: format_number(row.dropout)),
        column("epochs", lambda row: str(row.epochs)),
        column("seeds", lambda row: str(row.num_seeds)),
        column("run", lambda row: row.run_id, "left"),
        column("balanced", lambda row: format_fraction(row.test_balanced_accuracy)),
        column("AUROC", lambda row: format_fraction(row.test_auroc)),
        column("loss", lambda row: format_fraction(row.test_loss)),
    ]


def build_title(rows: Sequence[Row]) -> str:
    return f"{', '.join(sorted({row.job for row in rows}))} on {rows[0].dataset}"


def build_baseline(rows: Sequence[Row]) -> list[str]:
    """Say what always answering the commonest class reaches, in a line; none where the runs of the
    board are of a version that did not record it. Rows of a board share their data and splits."""
    known = [row for row in rows if row.majority_class_accuracy is not None]
    figure = "" if rows[0].compared_by.name == "accuracy" else "accuracy "
    return [
        f"always answering {row.majority_class!r}, the commonest class: {figure}"
        f"{format_fraction(row.majority_class_accuracy)}"
        for row in known[:1]
    ]


def build_ranks(rows: Sequence[Row]) -> list[str]:
    """Return each row's rank: `*1=` is the winner, of rank 1, which it shares with others.

    Where a row has no tie group, since its run kept no predictions, the rows are numbered instead.
    """
    if any(row.tie_group is None and row.reached is not None for row in rows):
        return [f"{_marked(row)}{rank} " for rank, row in enumerate(rows, start=1)]
    groups = [row.tie_group for row in rows if row.tie_group is not None]
    return [
        f"{_marked(row)}{row.tie_group or '-'}{'=' if _is_shared(row, groups) else ' '}"
        for row in rows
    ]


def cost_of(rows: Sequence[Row]) -> tuple[str, list[float | None]]:
    """Return the name of the cost and each row's: multiply-adds if all have them, else the seconds
    of training of one seed, since rows that dropped out have fewer seeds."""
    if all(row.multiply_adds is not None for row in rows if row.reached is not None):
        return "multiply-adds", [row.multiply_adds for row in rows]
    return "seconds of training a seed", [row.seconds_of_a_seed for row in rows]


def format_test(row: Row) -> str:
    return "diverged" if row.reached is None else f"{row.reached:.4f}"


def format_interval(row: Row) -> str:
    if row.interval is None:
        return "-"
    low, high = row.interval
    return f"{low:.4f}-{high:.4f}"


def format_claim(row: Row) -> str:
    if row.reported_accuracy is None:
        return "-"
    return f"{row.reported_accuracy:.4g} {row.reported_metric}"


def format_metric(row: Row) -> str:
    """`loss 0.1234`: what the row's search optimised, and its value on validation."""
    return f"{row.metric or '-'} {format_fraction(row.val_metric)}"


def name_metric(rows: Sequence[Row]) -> str:
    """Name what compares the rows of a board, which is the same for all of them."""
    return rows[0].compared_by.words


def format_signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.4f}"


def format_number(value: float | None) -> str:
    """Format a number to two digits, or to the unit if it has more."""
    if value is None:
        return "-"
    return f"{value:.2g}" if abs(value) < 99.5 else f"{value:,.0f}"


def format_fraction(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def format_count(value: float | None) -> str:
    if value is None:
        return "-"
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if value >= size:
            return f"{value / size:.1f}{unit}"
    return str(value)


def _cost_column(rows: Sequence[Row]) -> Column:
    name, costs = cost_of(rows)
    front = pareto_front(costs, [row.score for row in rows])
    is_count = name == "multiply-adds"
    figures = [format_count(cost) if is_count else format_number(cost) for cost in costs]
    cells = [f"{text}{' P' if on else '  '}" for text, on in zip(figures, front, strict=True)]
    return Column("MACs" if is_count else "seconds", cells)


def _on_validation(row: Row) -> float | None:
    """Return on validation what the row is compared by on test."""
    value: float | None = getattr(row, f"val_{row.compared_by.figure}")
    return value


def in_search(row: Row) -> float | None:
    """Return what the search saw of it."""
    is_optimised = row.metric == row.compared_by.name and row.search_val_metric is not None
    return row.search_val_metric if is_optimised else row.search_val_accuracy


def _std(row: Row) -> float | None:
    """Return its standard deviation; an early version knew that of the accuracy alone."""
    return row.test_accuracy_std if row.test_metric_std is None else row.test_metric_std


def _marked(row: Row) -> str:
    return "*" if row.winner else "!" if row.exceeds else ""


def _is_shared(row: Row, groups: Sequence[int]) -> bool:
    return row.tie_group is not None and groups.count(row.tie_group) > 1


def _fit(columns: Sequence[Column], width: int) -> Iterator[Column]:
    """Yield the first columns that fit in `width` characters, with a space between them."""
    used = -1
    for column in columns:
        used += 1 + max(map(cell_len, (column.header, *column.cells)))
        if used > width:
            return
        yield column


def build_notes(rows: Sequence[Row], columns: Sequence[Column]) -> list[str]:
    """Explain the marks and figures that are in the columns."""
    shown = {column.header: " ".join(column.cells) for column in columns}
    marked = shown["#"] + shown.get("MACs", shown.get("seconds", ""))
    notes = [note for mark, note in _marks(rows) if mark in marked]
    if "=" in shown["#"] and any(row.num_seeds == 2 and not row.dropped_out for row in rows):
        notes.append("two seeds tell little apart: --retrain-seeds 3 or more")
    if "gain" in shown:
        ensembles = any(row.ensemble for row in rows)
        notes.append(
            "gain: over the run's best published (or default) row"
            + ("; an ensemble's over the winner's exported model" if ensembles else "")
        )
    tried = sum({(row.job, row.run_id): row.num_trials for row in rows}.values())
    return [*notes, f"{tried} configurations tried"]


def _marks(rows: Sequence[Row]) -> list[tuple[str, str]]:
    cost, _ = cost_of(rows)
    metrics = sorted({(row.metric or "accuracy").replace("_", " ") for row in rows})
    words = {"cost": cost, "metric": " or ".join(metrics), "compared": name_metric(rows)}
    said = {mark: note.format(**words) for mark, note in NOTES.items()}
    return [(mark, f"{mark} {note}") for mark, note in said.items()]
