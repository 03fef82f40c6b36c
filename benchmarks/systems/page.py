"""The tables of docs/systems.md, from the leaderboards that are kept."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.systems.catalogue import LACKING, REPORTS, SYSTEMS, System
from benchmarks.systems.measure import KEPT
from docs.tables import build_table
from tune_jobs.engine.cli.commands import catalogue
from tune_jobs.engine.job import Job, Published
from tune_jobs.engine.results.leaderboard import read_rows
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.results.table import format_count

Boards = Mapping[str, Sequence[Row]]
Cells = tuple[str, ...]

NONE = "none came to its end"


def build_tables(kept: Path = KEPT) -> str:
    """All sections: the reports, then what was measured on other data, then the runs."""
    boards = read_boards(kept)
    jobs = {entry.name: (job, entry) for job in catalogue() for entry in job.published}
    systems = {system.job: system for system in SYSTEMS}
    sections = [
        f"## {title}\n\n{_report_table(words, jobs, systems, boards)}"
        for title, words in REPORTS.items()
    ]
    sections.append(f"## On other data\n\n{OTHER_DATA}\n\n{_other_table(jobs, systems, boards)}")
    sections.append(f"## The runs\n\n{RUNS}\n\n{_runs_table(systems, boards)}")
    return "\n\n".join(sections)


OTHER_DATA = """\
Where a report's data cannot be had, its systems are run on data of the same kind. These figures
compare with one another, and with none of the report's."""

RUNS = """\
Times are of machines that did other work too. Where a job is not listed, it was not run yet."""


def read_boards(kept: Path) -> Boards:
    """The rows of each job's run; where there is one with a GPU, of that one."""
    rows = read_rows(kept).rows if kept.is_dir() else []
    last: dict[str, str] = {}
    for row in rows:
        last[row.job] = max(row.run_id, last.get(row.job, ""))
    return {job: [r for r in rows if (r.job, r.run_id) == (job, run)] for job, run in last.items()}


def _report_table(
    words: Mapping[str, str],
    jobs: Mapping[str, tuple[Job, Published]],
    systems: Mapping[str, System],
    boards: Boards,
) -> str:
    lines: list[Cells] = []
    for name, text in words.items():
        job, entry = jobs[name]
        claim = f"{entry.accuracy:g} ({entry.metric})" if entry.accuracy else "none"
        system, board = systems.get(job.name), boards.get(job.name)
        if system is None:
            lacking = next(what for of, what in LACKING.items() if job.name.startswith(of))
            cells = "not measured here", f"needs {lacking}"
        elif system.data.stands_for:
            cells = "not measured here", f"needs {system.data.stands_for}; see on other data"
        else:
            cells = _figures(board, entry)
        lines.append((name, text, f"`{job.name}`", claim, *cells))
    header = "#", "system", "job", "reported", "as published, here", "the search's winner, here"
    return build_table(header, lines)


def _other_table(
    jobs: Mapping[str, tuple[Job, Published]],
    systems: Mapping[str, System],
    boards: Boards,
) -> str:
    lines: list[Cells] = []
    for words in REPORTS.values():
        for name, text in words.items():
            job, entry = jobs[name]
            system = systems.get(job.name)
            if system and system.data.stands_for:
                figures = _figures(boards.get(job.name), entry, same_data=False)
                data = f"{system.data.words} for {system.data.stands_for}"
                lines.append((name, text, f"`{job.name}`", data, *figures))
    return build_table(("#", "system", "job", "data", "as published", "the search's winner"), lines)


def _figures(
    board: Sequence[Row] | None, entry: Published, *, same_data: bool = True
) -> tuple[str, str]:
    """What the published row reached, and what the winner of the same run did."""
    published = next((row for row in board or () if row.system == entry.name), None)
    if board is None or published is None:
        return "not measured yet", ""
    winner = next((row for row in board if row.winner), None)
    if winner is None:
        return _figure(published), NONE
    if winner is published:
        return _figure(published), "this one: the search found no better"
    told = [_figure(winner)]
    if winner.system:
        told.append(f"which is {winner.system} as published")
    if published.tie_group is not None and winner.tie_group == published.tie_group:
        told.append("not told apart")
    if same_data and entry.accuracy and (winner.test_accuracy or 0.0) < entry.accuracy:
        told.append("below the report")
    return _figure(published), ", ".join(told)


def _figure(row: Row) -> str:
    if row.test_accuracy is None:
        return "diverged"
    low, high = row.interval or (row.test_accuracy, row.test_accuracy)
    return f"{row.test_accuracy:.3f} ({low:.3f} to {high:.3f})"


def _runs_table(systems: Mapping[str, System], boards: Boards) -> str:
    lines = [tuple(_run_cells(systems[job], boards[job])) for job in systems if boards.get(job)]
    header = "job", "data", "search", "retrained", "winner", "on"
    return build_table(header, lines)


def _run_cells(system: System, board: Sequence[Row]) -> Iterator[str]:
    row = board[0]
    winner = next((row for row in board if row.winner), None)
    on_gpu = row.run_id.endswith("gpu")
    size = system.train_size
    yield f"`{row.job}`"
    yield system.data.words + (f", {size:,} images" if size and not on_gpu else "")
    yield f"{row.num_trials} configurations, {row.epochs} epochs, {_hours(row.search_seconds)}"
    seconds = sum(row.train_seconds for row in board)
    yield f"{len(board)} configurations, {_hours(seconds)} in all"
    parameters = winner and winner.num_parameters
    yield f"{format_count(parameters)} parameters" if parameters else "no parameters to count"
    cores = json.loads(row.hardware)["cores"] if row.hardware else "?"
    yield row.device if on_gpu else f"{cores} CPU cores"


def _hours(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds < 2 * 3600 else f"{seconds / 3600:.1f} h"
