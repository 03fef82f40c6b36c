"""The report as one HTML page: the answer, the table, the pictures, how to get them again."""

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from trainables.config.validation import to_json
from trainables.datasets import ImageData
from tune_jobs.engine.results.analysis.analysis import SearchAnalysis
from tune_jobs.engine.results.analysis.outlook import METHOD
from tune_jobs.engine.results.report import images
from tune_jobs.engine.results.report.answer import answer
from tune_jobs.engine.results.report.chart import Chart
from tune_jobs.engine.results.report.finding_charts import FindingCharts
from tune_jobs.engine.results.report.learned import caption_sources, learned_sentences
from tune_jobs.engine.results.report.render import render
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.results.table import (
    Column,
    build_baseline,
    build_columns,
    build_notes,
    name_metric,
)
from tune_jobs.engine.run_state.info import RunInfo

TEMPLATE = "page.html.jinja"

TOLD = (
    "search: validation {metric} in the search, val: of the retraining; gap: by how much search is "
    "better than test"
)

MORE = (
    *("balanced", "F1", "AUROC", "loss", "std", "seeds", "train s"),
    *("lr", "l2", "batch", "optimizer", "schedule", "dropout"),
)
"""Columns of a second table: all in one would not fit the page."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Report:
    """Holds what the page is made of.

    Attributes:
        rows: The run's, the best first.
        configurations: The winner, then the published (or default) one, where they kept their
            predictions.
        charts: Those of the search.
        analysis: What the search learned.
    """

    info: RunInfo
    rows: list[Row]
    configurations: list[FindingCharts]
    charts: list[Chart]
    analysis: SearchAnalysis
    data: ImageData


def build_page(report: Report) -> str:
    rows, data = report.rows, report.data
    figures, more = _columns(rows)
    winner = report.configurations[0].finding if report.configurations else None
    return render(
        Path(__file__).with_name(TEMPLATE),
        title=f"{report.info.job} on {report.info.dataset}",
        answer=answer(rows, report.info),
        rows=rows,
        columns=figures,
        notes="; ".join([TOLD.format(metric=name_metric(rows)), *build_notes(rows, figures)]),
        baseline=build_baseline(rows),
        more_columns=more,
        configurations=report.configurations,
        winner=winner,
        mistakes=images.surest_mistakes(winner, data) if winner else [],
        samples=images.samples(data),
        num_samples=images.PER_CLASS,
        augmented=images.augmented(data, winner.row) if winner else [],
        search=report.charts,
        learned=learned_sentences(report.analysis),
        method=METHOD if report.analysis.outlook else None,
        sources=report.analysis.sources,
        sources_caption=caption_sources(report.analysis),
        commands=list(_commands(report)),
        origin=_origin(report),
    )


def _columns(rows: Sequence[Row]) -> tuple[list[Column], list[Column]]:
    """Divide a board's columns between the first table and the second."""
    columns = [
        column
        for column in build_columns(rows)
        if column.header != "run" and {cell.strip() for cell in column.cells} != {"-"}
    ]
    return (
        [column for column in columns if column.header not in (*MORE, "epochs")],
        [column for column in columns if column.header in ("#", "trial", *MORE, "epochs")],
    )


def _commands(report: Report) -> Iterator[str]:
    info, winner = report.info, _best(report.rows)
    row = f"{info.run_id}:{winner.trial_number}"
    words = ["python", "-m", "tune_jobs", "leaderboard", "reproduce", row]
    yield shlex.join([*words, "--storage", info.options.storage])
    yield info.command


def _origin(report: Report) -> dict[str, str]:
    """List what a run must have in common with this one to come to the same."""
    info, winner = report.info, _best(report.rows)
    state = {True: "as committed", False: "with changes", None: ""}[info.git_clean]
    return {
        "commit": f"{info.git_commit or 'unknown'} {state}".strip(),
        "seeds": f"search {info.options.seed}, retraining {list(winner.seeds or ())}",
        "data": f"{info.dataset_fingerprint} split {info.split_fingerprint}",
        "precision": winner.precision,
        "versions": ", ".join(f"{k} {v}" for k, v in info.versions.items()),
        "hardware": json.dumps(to_json(info.hardware)),
        "configuration": winner.config,
    }


def _best(rows: Sequence[Row]) -> Row:
    return next((row for row in rows if row.winner), rows[0])
