"""Charts as inline SVG. Colours are the page's, so that they follow light and dark.

Written by hand: a page of six kinds of marks needs no plotting library, whose SVG would bring its
own fonts and colours and, of a confusion matrix, half a megabyte.
"""

from collections.abc import Sequence
from html import escape

import numpy as np
import numpy.typing as npt

from tune_jobs.engine.results.report.marks import (
    BAR_LEFT,
    BAR_LINE,
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Band,
    Bars,
    Chart,
    Dots,
    Line,
    Scale,
    shorten,
)

Integers = npt.NDArray[np.int64]

MOST_NUMBERED_CLASSES = 20
"""A larger confusion matrix has no room for its counts."""
LEAST_INK, MOST_INK = 0.15, 0.5
"""Of a cell; counts are readable on all of them, light and dark."""


def draw(chart: Chart | Bars) -> str:
    if isinstance(chart, Bars):
        return _bars(chart)
    across, up = chart.across(), chart.up()
    parts = [_axes(chart, across, up), *(_draw(mark, across, up) for mark in chart.marks)]
    return build_svg(WIDTH, HEIGHT, chart.title, "".join(parts))


def _bars(bars: Bars) -> str:
    parts = []
    shown = zip(bars.labels, bars.values, bars.widths(), strict=True)
    for place, (label, value, width) in enumerate(shown):
        y = place * BAR_LINE
        parts.append(
            f'<text x="{BAR_LEFT - 8}" y="{y + 16}" text-anchor="end">{escape(label)}</text>'
            f'<rect class="bar" x="{BAR_LEFT}" y="{y + 4}" width="{width}" height="16"/>'
            f'<text x="{BAR_LEFT + width + 6}" y="{y + 16}">{value:.2f}</text>'
        )
    return build_svg(WIDTH, BAR_LINE * len(bars.labels) + 4, bars.title, "".join(parts))


def heatmap(confusion_KK: Integers, names: Sequence[str], *, title: str) -> str:
    """Rows are true classes; a cell's ink is its share of its row."""
    count = len(names)
    side = 34 if count <= MOST_NUMBERED_CLASSES else max(4, 680 // count)
    longest = max(len(shorten(name)) for name in names)
    room = 12 + 7 * longest if count <= MOST_NUMBERED_CLASSES else 8
    shares_KK = confusion_KK / np.maximum(confusion_KK.sum(axis=1, keepdims=True), 1)
    parts = []
    for true, predicted in np.argwhere(confusion_KK > 0).tolist():
        x, y = room + predicted * side, room + true * side
        share, number = shares_KK[true, predicted], int(confusion_KK[true, predicted])
        kind = "hit" if true == predicted else "miss"
        told = escape(f"{names[true]} taken for {names[predicted]}: {number}")
        ink = f"{LEAST_INK + (MOST_INK - LEAST_INK) * share:.2f}"
        parts.append(
            f'<rect class="{kind}" x="{x}" y="{y}" width="{side - 1}" height="{side - 1}" '
            f'fill-opacity="{ink}"><title>{told}</title></rect>'
        )
        if count <= MOST_NUMBERED_CLASSES:
            parts.append(
                f'<text x="{x + side / 2}" y="{y + side / 2 + 4}" '
                f'text-anchor="middle">{number}</text>'
            )
    if count <= MOST_NUMBERED_CLASSES:
        parts += [_name(name, place, side, room) for place, name in enumerate(names)]
    size = room + side * count
    return build_svg(size, size, title, "".join(parts))


def _name(name: str, place: int, side: int, room: int) -> str:
    middle = room + place * side + side / 2
    short = escape(shorten(name))
    return (
        f'<text x="{room - 6}" y="{middle + 4}" text-anchor="end">{short}</text>'
        f'<text transform="translate({middle + 4} {room - 6}) rotate(-90)">{short}</text>'
    )


def _draw(mark: Line | Band | Dots, across: Scale, up: Scale) -> str:
    if isinstance(mark, Band):
        there = [f"{across(x)},{up(y)}" for x, y in zip(mark.xs, mark.highs, strict=True)]
        back = [f"{across(x)},{up(y)}" for x, y in zip(mark.xs, mark.lows, strict=True)]
        return f'<polygon class="band" points="{" ".join(there + back[::-1])}"/>'
    if isinstance(mark, Dots):
        return "".join(
            f'<circle class="dot" cx="{across(x)}" cy="{up(y)}" r="3.5">'
            f"<title>{escape(label)}</title></circle>"
            for x, y, label in zip(mark.xs, mark.ys, mark.labels, strict=True)
        )
    points = " ".join(f"{across(x)},{up(y)}" for x, y in zip(mark.xs, mark.ys, strict=True))
    return f'<polyline class="line {mark.style}" points="{points}"/>'


def _axes(chart: Chart, across: Scale, up: Scale) -> str:
    bottom = HEIGHT - BOTTOM
    parts = [f'<path class="axis" d="M{LEFT} {TOP}V{bottom}H{WIDTH - RIGHT}"/>']
    for tick, label in chart.ticks().items():
        parts.append(
            f'<text x="{across(tick)}" y="{bottom + 15}" text-anchor="middle">'
            f"{escape(label)}</text>"
        )
    for tick in up.ticks():
        parts.append(
            f'<path class="grid" d="M{LEFT} {up(tick)}H{WIDTH - RIGHT}"/>'
            f'<text x="{LEFT - 5}" y="{up(tick) + 4}" text-anchor="end">{tick:.4g}</text>'
        )
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(
        f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{escape(chart.x)}</text>'
    )
    parts.append(
        f'<text transform="translate(13 {(TOP + bottom) / 2}) rotate(-90)" '
        f'text-anchor="middle">{escape(chart.y)}</text>'
    )
    return "".join(parts)


def build_svg(width: float, height: float, title: str, content: str) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(title)}"><title>{escape(title)}</title>{content}</svg>'
    )
