"""The report as one HTML page: the answer, the table, the pictures, how to get them again."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from PIL import Image

from trainables.datasets import ImageData
from tune_jobs.engine.cli.table import build_columns, cost_of, format_count
from tune_jobs.engine.results.report import images
from tune_jobs.engine.results.report.charts import learning_curves
from tune_jobs.engine.results.report.findings import Finding, class_figures, confused_pairs
from tune_jobs.engine.results.report.style import STYLE
from tune_jobs.engine.results.report.svg import heatmap
from tune_jobs.engine.results.row import Row


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Report:
    """What the page is made of. `findings`: the winner first, then the published (or default)
    configuration, where they kept their predictions; `charts`: of the search, captioned."""

    facts: dict[str, Any]
    rows: list[Row]  # best first
    findings: list[Finding]
    charts: list[tuple[str, str]]
    data: ImageData


def build_page(report: Report) -> str:
    title = f"{report.facts['job']} on {report.facts['dataset']}"
    sections = [_answer(report), _table(report.rows)]
    for finding in report.findings:
        sections.append(_configuration(finding, report.data))
    if report.findings:
        sections.append(_images(report))
    sections += [_search(report.charts), _reproduce(report)]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body>"
        f"<h1>{escape(title)}</h1>\n" + "\n".join(sections) + "\n</body></html>\n"
    )


def _answer(report: Report) -> str:
    rows, facts = report.rows, report.facts
    winner = next((row for row in rows if row.winner), None)
    if winner is None:
        return (
            '<div class="answer"><p class="first">No configuration ended on every seed.</p></div>'
        )
    lines = [
        f"The winner is trial {winner.trial_number} ({winner.origin}), "
        f"{winner.architecture}: test accuracy {winner.test_accuracy:.4f}"
    ]
    if winner.test_accuracy_low is not None and winner.test_accuracy_high is not None:
        lines[0] += (
            f", 95 % interval {winner.test_accuracy_low:.4f} to {winner.test_accuracy_high:.4f}"
        )
    tied = sum(row.tie_group == winner.tie_group for row in rows if row.tie_group) - 1
    lines.append(
        f"Chosen by validation accuracy ({winner.val_accuracy:.4f}) over {winner.num_seeds} seeds "
        f"among {winner.num_trials} configurations tried; rank {winner.tie_group or '-'} by test"
        + (f", which it shares with {tied} other{'s' * (tied > 1)}." if tied > 0 else ".")
    )
    lines += [_gain(winner), _cost(winner)]
    if winner.selection_gap is not None:
        lines.append(
            f"The search saw {winner.search_val_accuracy:.4f} on validation, "
            f"{abs(winner.selection_gap):.4f} {'more' if winner.selection_gap > 0 else 'less'} "
            "than test."
        )
    lines.append(facts["data"] + ".")
    lines += [f"Note: {note}." for note in facts["notes"]]
    paragraphs = [f"<p>{escape(line)}</p>" for line in lines[1:] if line]
    return (
        f'<div class="answer"><p class="first">{escape(lines[0])}.</p>{"".join(paragraphs)}</div>'
    )


def _gain(winner: Row) -> str:
    if winner.gain is None or winner.gain_low is None or winner.gain_high is None:
        return "It is what people had: no proposal of the search was better on validation."
    return (
        f"Gain over the published (or default) configuration, trial {winner.gain_over}: "
        f"{winner.gain:+.4f}, 95 % interval {winner.gain_low:+.4f} to {winner.gain_high:+.4f} "
        f"(p = {winner.gain_p_value:.2g})."
    )


def _cost(winner: Row) -> str:
    words = [f"{winner.num_parameters:,} parameters"] if winner.num_parameters else []
    if winner.multiply_adds is not None:
        words.append(f"{format_count(winner.multiply_adds)} multiply-adds per image")
    if winner.latency_seconds is not None and winner.throughput is not None:
        words.append(f"{1000 * winner.latency_seconds:.3g} ms for one image")
        words.append(f"{winner.throughput:,.0f} images per second in batches")
    words.append(f"{winner.train_seconds / max(winner.num_seeds, 1):.3g} s to train on a seed")
    words.append(f"the search took {winner.search_seconds:.3g} s")
    return f"Cost, on {winner.device}: {', '.join(words)}."


def _table(rows: Sequence[Row]) -> str:
    columns = [c for c in build_columns(rows) if c.header != "run"]
    head = "".join(
        f'<th scope="col"{_left(column.justify)}>{escape(column.header)}</th>' for column in columns
    )
    body = []
    for place, row in enumerate(rows):
        cells = "".join(f"<td{_left(c.justify)}>{escape(c.cells[place])}</td>" for c in columns)
        body.append(f'<tr class="{"winner" if row.winner else "other"}">{cells}</tr>')
    cost, _ = cost_of(rows)
    caption = (
        "* the winner, chosen by validation accuracy; = shares its rank: cannot be told apart; "
        f"P on the front of accuracy against {cost}; gain: over the best published (or default) "
        "row; gap: search validation less test"
    )
    return (
        f'<h2>Leaderboard</h2><div class="wide"><table><thead><tr>{head}</tr></thead>'
        f'<tbody>{"".join(body)}</tbody></table></div><p class="soft">{escape(caption)}</p>'
    )


def _left(justify: str) -> str:
    return ' class="left"' if justify == "left" else ""


def _configuration(finding: Finding, data: ImageData) -> str:
    confusion_KK = finding.confusion_KK()
    names = data.class_names
    errors = int(confusion_KK.sum() - confusion_KK.trace())
    pairs = [
        f"<li>{escape(names[t])} taken for {escape(names[p])}: {count}</li>"
        for t, p, count in confused_pairs(confusion_KK)
    ]
    figures = "".join(
        f'<tr><td class="left">{escape(c.name)}</td><td>{c.precision:.4f}</td>'
        f"<td>{c.recall:.4f}</td><td>{c.f1:.4f}</td><td>{c.num_examples}</td></tr>"
        for c in class_figures(confusion_KK, names)
    )
    title = (
        f"Confusion matrix of the {finding.title}: {errors} errors in {confusion_KK.sum()} answers"
    )
    return (
        f"<h2>The {escape(finding.title)}: trial {finding.row.trial_number}</h2>"
        f'<div class="row"><figure>{learning_curves(finding)}<figcaption>Learning curves: mean, '
        "each seed, and their spread</figcaption></figure>"
        f"<figure>{heatmap(confusion_KK, names, title=title)}<figcaption>Confusion matrix over "
        f"{len(finding.predictions)} seeds; rows are true classes</figcaption></figure></div>"
        '<div class="row"><div><h3>By class</h3><table><thead><tr>'
        '<th class="left" scope="col">class</th>'
        '<th scope="col">precision</th><th scope="col">recall</th><th scope="col">F1</th>'
        f'<th scope="col">answers</th></tr></thead><tbody>{figures}</tbody></table></div>'
        f"<div><h3>Most confused</h3><ol>{''.join(pairs) or '<li>no errors</li>'}</ol></div></div>"
    )


def _images(report: Report) -> str:
    winner, data = report.findings[0], report.data
    wrong = [
        (images.describe(mistake, data), picture)
        for mistake, picture in images.surest_mistakes(winner, data)
    ]
    samples = "".join(
        '<figure><div class="four">'
        + "".join(_img(f"{name}", images.to_picture(data.images_NHWC[i])) for i in indices)
        + f"</div><figcaption>{escape(name)}</figcaption></figure>"
        for name, indices in images.sample_indices(data).items()
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


def _search(charts: Sequence[tuple[str, str]]) -> str:
    figures = "".join(
        f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"
        for caption, svg in charts
    )
    return f'<h2>The search</h2><div class="row">{figures}</div>'


def _reproduce(report: Report) -> str:
    facts = report.facts
    winner = next((row for row in report.rows if row.winner), report.rows[0])
    commit = facts["git_commit"] or "unknown"
    state = {True: "as committed", False: "with changes", None: ""}[facts.get("git_clean")]
    commands = [
        f"python -m tune_jobs leaderboard reproduce {facts['run_id']}:{winner.trial_number}",
        facts["command"],
    ]
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
