"""The report as one HTML page: the answer, the table, the pictures, how to get them again."""

import json
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from PIL import Image

from trainables.datasets import ImageData
from tune_jobs.engine.cli.table import Column, build_columns, build_notes
from tune_jobs.engine.results.report import images
from tune_jobs.engine.results.report.answer import answer
from tune_jobs.engine.results.report.chart import Chart, to_svg
from tune_jobs.engine.results.report.finding_charts import FindingCharts
from tune_jobs.engine.results.report.style import STYLE
from tune_jobs.engine.results.row import Row

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
    title = f"{report.facts['job']} on {report.facts['dataset']}"
    sections = [answer(report.rows, report.facts), _leaderboard(report.rows)]
    sections += [_configuration(charts) for charts in report.configurations]
    if report.configurations:
        sections.append(_images(report))
    sections += [_search(report.charts), _reproduce(report)]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body>"
        f"<h1>{escape(title)}</h1>\n" + "\n".join(sections) + "\n</body></html>\n"
    )


def _leaderboard(rows: Sequence[Row]) -> str:
    columns = [
        column
        for column in build_columns(rows)
        if column.header != "run" and {cell.strip() for cell in column.cells} != {"-"}
    ]
    figures = [column for column in columns if column.header not in (*MORE, "epochs")]
    told = (
        "search: validation accuracy in the search, val: of the retraining; gap: search less test"
    )
    caption = "; ".join([told, *build_notes(rows, figures)])
    knobs = [column for column in columns if column.header in ("#", "trial", *MORE, "epochs")]
    return (
        f'<h2>Leaderboard</h2>{_table(figures, rows)}<p class="soft">{escape(caption)}</p>'
        f"<h3>More of each row</h3>{_table(knobs, rows)}"
    )


def _table(columns: Sequence[Column], rows: Sequence[Row]) -> str:
    head = "".join(
        f'<th scope="col"{_left(column.justify)}>{escape(column.header)}</th>' for column in columns
    )
    body = []
    for place, row in enumerate(rows):
        cells = "".join(f"<td{_left(c.justify)}>{escape(c.cells[place])}</td>" for c in columns)
        body.append(f'<tr class="{"winner" if row.winner else "other"}">{cells}</tr>')
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def _left(justify: str) -> str:
    return ' class="left"' if justify == "left" else ""


def _configuration(charts: FindingCharts) -> str:
    finding = charts.finding
    pairs = [
        f"<li>{escape(true)} taken for {escape(predicted)}: {number}</li>"
        for true, predicted, number in finding.most_confused()
    ]
    figures = "".join(
        f'<tr><td class="left">{escape(c.name)}</td><td>{c.precision:.4f}</td>'
        f"<td>{c.recall:.4f}</td><td>{c.f1:.4f}</td><td>{c.num_examples}</td></tr>"
        for c in finding.by_class()
    )
    layers = ""
    if charts.layers:
        layers = (
            "<h3>What its layers make of the images (t-SNE, best seed; hollow: a wrong answer)</h3>"
            f'<div class="row">{_figures(charts.layers)}</div>'
        )
    return (
        f"<h2>The {escape(finding.title)}: trial {finding.row.trial_number}</h2>"
        f'<div class="row">{_figures([charts.curves, charts.confusion])}</div>'
        '<div class="row"><div class="wide"><h3>By class</h3><table><thead><tr>'
        '<th class="left" scope="col">class</th>'
        '<th scope="col">precision</th><th scope="col">recall</th><th scope="col">F1</th>'
        f'<th scope="col">answers</th></tr></thead><tbody>{figures}</tbody></table></div>'
        f"<div><h3>Most confused</h3><ol>{''.join(pairs) or '<li>no errors</li>'}</ol></div></div>"
        f"{layers}"
    )


def _figures(charts: Iterable[Chart]) -> str:
    return "".join(
        f"<figure>{to_svg(c)}<figcaption>{escape(c.caption)}</figcaption></figure>" for c in charts
    )


def _images(report: Report) -> str:
    winner, data = report.configurations[0].finding, report.data
    wrong = images.surest_mistakes(winner, data)
    samples = "".join(
        '<figure><div class="four">'
        + "".join(_img(name, picture) for picture in pictures)
        + f"</div><figcaption>{escape(name)}</figcaption></figure>"
        for name, pictures in images.samples(data).items()
    )
    return (
        f"<h2>Surest mistakes of the {escape(winner.title)} (best seed)</h2>"
        f'<div class="row thumbs">{_thumbs(wrong) or "<p>none</p>"}</div>'
        f"<h2>The data: {images.PER_CLASS} images of a class</h2>"
        f'<div class="row thumbs samples">{samples}</div>'
        "<h2>Augmentations, each by itself</h2>"
        f'<div class="row thumbs">{_thumbs(images.augmented(data, winner.row))}</div>'
    )


def _thumbs(captioned: Iterable[tuple[str, Image.Image]]) -> str:
    return "".join(
        f"<figure>{_img(caption, picture)}<figcaption>{escape(caption)}</figcaption></figure>"
        for caption, picture in captioned
    )


def _img(alternative: str, picture: Image.Image) -> str:
    return f'<img alt="{escape(alternative)}" src="{images.data_uri(picture)}">'


def _search(charts: Sequence[Chart]) -> str:
    return f'<h2>The search</h2><div class="row">{_figures(charts)}</div>'


def _reproduce(report: Report) -> str:
    facts = report.facts
    winner = next((row for row in report.rows if row.winner), report.rows[0])
    commit = facts["git_commit"] or "unknown"
    state = {True: "as committed", False: "with changes", None: ""}[facts.get("git_clean")]
    row = f"{facts['run_id']}:{winner.trial_number}"
    words = ["python", "-m", "tune_jobs", "leaderboard", "reproduce", row]
    words += ["--storage", facts["options"]["storage"]]
    commands = [shlex.join(words), facts["command"]]
    lines = {
        "commit": f"{commit} {state}".strip(),
        "seeds": f"search {facts['options']['seed']}, retraining {list(winner.seeds or ())}",
        "data": f"{facts['dataset_fingerprint']} split {facts['split_fingerprint']}",
        "precision": winner.precision,
        "versions": ", ".join(f"{k} {v}" for k, v in facts["versions"].items()),
        "hardware": json.dumps(facts.get("hardware")),
        "configuration": winner.config,
    }
    told = "\n".join(f"{name}: {value}" for name, value in lines.items())
    return (
        "<h2>Get it again</h2><p>The winner's row, retrained and compared; the whole run:</p>"
        f"<pre>{escape(chr(10).join(commands))}</pre><pre>{escape(told)}</pre>"
    )
