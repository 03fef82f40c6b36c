"""The tables of docs/systems.md, from the leaderboards that are kept."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.systems.catalogue import LACKING, REPORTS, SYSTEMS, System
from benchmarks.systems.measure import KEPT
from docs.tables import build_table
from tune_jobs.engine.cli.commands import catalogue
from tune_jobs.engine.job import Published
from tune_jobs.engine.results.leaderboard import read_rows
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.results.table import format_count

Board = Sequence[Row]

OTHER_DATA = """\
Where a report's data cannot be had, its systems are run on data of the same kind. These figures
compare with one another where the data are the same, and with none of the reports'."""

RUNS = """\
Times are of machines that did other work too. A job that is not listed was not run yet."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A system of a report.

    Attributes:
        words: What it is.
        published: Its configuration in the job, and the figure of the report.
        system: How it is measured; `None`: something is lacking.
        board: The rows of its job's run; empty where there is none yet.
    """

    words: str
    job: str
    published: Published
    system: System | None
    board: Board

    @property
    def is_on_other_data(self) -> bool:
        return self.system is not None and self.system.data.stands_for is not None


def build_tables(kept: Path = KEPT) -> str:
    """All sections: the reports, then what was measured on other data, then the runs."""
    boards = read_boards(kept)
    entries = read_entries(boards)
    sections = [
        f"## {title}\n\n{_report_table([entries[name] for name in words])}"
        for title, words in REPORTS.items()
    ]
    others = [entry for entry in entries.values() if entry.is_on_other_data]
    runs = [(system, boards[system.job]) for system in SYSTEMS if system.job in boards]
    sections.append(f"## On other data\n\n{OTHER_DATA}\n\n{_other_table(others)}")
    sections.append(f"## The runs\n\n{RUNS}\n\n{_runs_table(runs)}")
    return "\n\n".join(sections)


def read_boards(kept: Path) -> Mapping[str, Board]:
    """The rows of each job's run; where there is one with a GPU, of that one.

    Raises:
        ValueError: A leaderboard is damaged.
    """
    found = read_rows(kept)
    if found.warnings:
        raise ValueError("\n".join(found.warnings))
    runs: dict[str, dict[str, list[Row]]] = {}
    for row in found.rows:
        runs.setdefault(row.job, {}).setdefault(row.run_id, []).append(row)
    return {job: of_job[max(of_job)] for job, of_job in runs.items()}


def read_entries(boards: Mapping[str, Board]) -> Mapping[str, Entry]:
    """The systems of all reports, by number, in the order of the page."""
    published = {entry.name: (job.name, entry) for job in catalogue() for entry in job.published}
    systems = {system.job: system for system in SYSTEMS}
    entries = {}
    for name, words in [pair for report in REPORTS.values() for pair in report.items()]:
        job, entry = published[name]
        entries[name] = Entry(
            words=words,
            job=job,
            published=entry,
            system=systems.get(job),
            board=boards.get(job, ()),
        )
    return entries


def _report_table(entries: Sequence[Entry]) -> str:
    lines = []
    for entry in entries:
        claim = entry.published
        reported = f"{claim.accuracy:g} ({claim.metric})" if claim.accuracy else "none"
        figures = _lacking(entry) or _figures(entry)
        lines.append((claim.name, entry.words, f"`{entry.job}`", reported, *figures))
    header = "#", "system", "job", "reported", "as published, here", "the search's winner, here"
    return build_table(header, lines)


def _lacking(entry: Entry) -> tuple[str, str] | None:
    if entry.system is None:
        needs = next(what for job, what in LACKING.items() if entry.job.startswith(job))
        return "not measured here", f"needs {needs}"
    if entry.is_on_other_data:
        return "not measured here", f"needs {entry.system.data.stands_for}; see other data"
    return None


def _other_table(entries: Sequence[Entry]) -> str:
    lines = []
    for entry in entries:
        assert entry.system is not None
        data = f"{entry.system.data.words} for {entry.system.data.stands_for}"
        named = entry.published.name, entry.words, f"`{entry.job}`", data
        lines.append((*named, *_figures(entry)))
    return build_table(("#", "system", "job", "data", "as published", "the search's winner"), lines)


def _figures(entry: Entry) -> tuple[str, str]:
    """What the published row reached, and what the winner of the same run did."""
    claim = entry.published
    published = next((row for row in entry.board if row.system == claim.name), None)
    if published is None:
        return "not measured yet", ""
    winner = next((row for row in entry.board if row.winner), None)
    if winner is None:
        return _figure(published), "none came to its end"
    if winner is published:
        told = ["this one: the search found no better"]
    else:
        told = [_figure(winner)]
        if winner.system:
            told.append(f"which is {winner.system} as published")
        if published.tie_group is not None and winner.tie_group == published.tie_group:
            told.append("not told apart")
    reached = winner.test_accuracy or 0.0
    if not entry.is_on_other_data and claim.accuracy and reached < claim.accuracy:
        told.append("below the report")
    return _figure(published), ", ".join(told)


def _figure(row: Row) -> str:
    if row.test_accuracy is None:
        return "diverged"
    low, high = row.interval or (row.test_accuracy, row.test_accuracy)
    return f"{row.test_accuracy:.3f} ({low:.3f} to {high:.3f})"


def _runs_table(runs: Sequence[tuple[System, Board]]) -> str:
    header = "job", "data", "search", "retrained", "winner", "on"
    return build_table(header, [tuple(_run_cells(system, board)) for system, board in runs])


def _run_cells(system: System, board: Board) -> Iterator[str]:
    row = board[0]
    on_gpu = row.run_id.endswith("gpu")
    yield f"`{row.job}`"
    yield ", ".join(_data_cell(system, row, on_gpu=on_gpu))
    yield f"{row.num_trials} configurations, {row.epochs} epochs, {_time(row.search_seconds)}"
    yield f"{len(board)} configurations, {_time(sum(row.train_seconds for row in board))} in all"
    parameters = next((row.num_parameters for row in board if row.winner), None)
    yield f"{format_count(parameters)} parameters" if parameters else "-"
    cores = json.loads(row.hardware)["cores"] if row.hardware else "?"
    yield row.device if on_gpu else f"{cores} CPU cores"


def _data_cell(system: System, row: Row, *, on_gpu: bool) -> Iterator[str]:
    yield system.data.words
    if system.train_size and not on_gpu:
        yield f"{system.train_size:,} images to train and validate on"
    if row.num_exact_duplicates:
        yield f"exact duplicates of train in test: {row.num_exact_duplicates}"


def _time(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds < 2 * 3600 else f"{seconds / 3600:.1f} h"
