"""The report as one HTML page: the answer, the table, the pictures, how to get them again."""

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from trainables.datasets import ImageData
from tune_jobs.engine.cli.table import Column, build_columns, build_notes
from tune_jobs.engine.results.report import images
from tune_jobs.engine.results.report.answer import answer
from tune_jobs.engine.results.report.chart import DARK, LIGHT, Chart, to_svg
from tune_jobs.engine.results.report.finding_charts import FindingCharts
from tune_jobs.engine.results.row import Row

TEMPLATE = "page.html.jinja"

TOLD = "search: validation accuracy in the search, val: of the retraining; gap: search less test"

MORE = ("F1", "std", "seeds", "train s", "lr", "l2", "batch", "optimizer", "schedule", "dropout")
"""Columns of a second table: all in one would not fit the page."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Report:
    """What the page is made of. `configurations`: the winner first, then the published (or default)
    one, where they kept their predictions; `charts`: of the search."""

    facts: dict[str, Any]
    rows: list[Row]  # best first
    configurations: list[FindingCharts]
    charts: list[Chart]
    data: ImageData


def build_page(report: Report) -> str:
    rows, data = report.rows, report.data
    figures, more = _columns(rows)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"svg": to_svg, "png": images.data_uri}
    winner = report.configurations[0].finding if report.configurations else None
    return environment.get_template(TEMPLATE).render(
        title=f"{report.facts['job']} on {report.facts['dataset']}",
        palettes={"light": LIGHT, "dark": DARK},
        answer=answer(rows, report.facts),
        rows=rows,
        columns=figures,
        notes="; ".join([TOLD, *build_notes(rows, figures)]),
        more_columns=more,
        configurations=report.configurations,
        winner=winner,
        mistakes=images.surest_mistakes(winner, data) if winner else [],
        samples=images.samples(data),
        num_samples=images.PER_CLASS,
        augmented=images.augmented(data, winner.row) if winner else [],
        search=report.charts,
        commands=list(_commands(report)),
        origin=_origin(report),
    )


def _columns(rows: Sequence[Row]) -> tuple[list[Column], list[Column]]:
    """Those of the first table, and those of the second."""
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
    facts, winner = report.facts, _best(report.rows)
    row = f"{facts['run_id']}:{winner.trial_number}"
    words = ["python", "-m", "tune_jobs", "leaderboard", "reproduce", row]
    yield shlex.join([*words, "--storage", facts["options"]["storage"]])
    yield facts["command"]


def _origin(report: Report) -> dict[str, str]:
    """What a run must have in common with this one to come to the same."""
    facts, winner = report.facts, _best(report.rows)
    commit = facts["git_commit"] or "unknown"
    state = {True: "as committed", False: "with changes", None: ""}[facts.get("git_clean")]
    return {
        "commit": f"{commit} {state}".strip(),
        "seeds": f"search {facts['options']['seed']}, retraining {list(winner.seeds or ())}",
        "data": f"{facts['dataset_fingerprint']} split {facts['split_fingerprint']}",
        "precision": winner.precision,
        "versions": ", ".join(f"{k} {v}" for k, v in facts["versions"].items()),
        "hardware": json.dumps(facts.get("hardware")),
        "configuration": winner.config,
    }


def _best(rows: Sequence[Row]) -> Row:
    return next((row for row in rows if row.winner), rows[0])
