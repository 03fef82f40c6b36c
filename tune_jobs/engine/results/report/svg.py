"""Charts as inline SVG. Colours are the page's, so that they follow light and dark.

Written by hand: a page of six kinds of marks needs no plotting library, whose SVG would bring its
own fonts and colours and, of a confusion matrix, half a megabyte.
"""

from collections.abc import Sequence
from html import escape

import numpy as np
import numpy.typing as npt

from tune_jobs.engine.results.report.marks import Bars, Chart
from tune_jobs.engine.results.report.plot import Anchor, Points, plot, shorten, size_of

Integers = npt.NDArray[np.int64]

MOST_NUMBERED_CLASSES = 20
"""A larger confusion matrix has no room for its counts."""
LEAST_INK, MOST_INK = 0.15, 0.5
"""Of a cell; counts are readable on all of them, light and dark."""
BASELINE = 4
"""Below the middle of a text's height."""


def draw(chart: Chart | Bars) -> str:
    canvas = SvgCanvas()
    plot(chart, canvas)
    return build_svg(*size_of(chart), chart.title, "".join(canvas.parts))


class SvgCanvas:
    def __init__(self) -> None:
        self.parts: list[str] = []

    def line(self, points: Points, style: str) -> None:
        name = style if style in ("axis", "grid") else f"line {style}"
        self.parts.append(f'<polyline class="{name}" points="{_places(points)}"/>')

    def area(self, points: Points) -> None:
        self.parts.append(f'<polygon class="band" points="{_places(points)}"/>')

    def bar(self, x: float, y: float, width: float, height: float) -> None:
        self.parts.append(f'<rect class="bar" x="{x}" y="{y}" width="{width}" height="{height}"/>')

    def dot(self, x: float, y: float, label: str) -> None:
        self.parts.append(
            f'<circle class="dot" cx="{x}" cy="{y}" r="3.5"><title>{escape(label)}</title></circle>'
        )

    def text(self, x: float, y: float, text: str, anchor: Anchor) -> None:
        self.parts.append(
            f'<text x="{x}" y="{y + BASELINE}" text-anchor="{anchor}">{escape(text)}</text>'
        )

    def upright(self, x: float, y: float, text: str) -> None:
        self.parts.append(
            f'<text transform="translate({x + BASELINE} {y}) rotate(-90)" '
            f'text-anchor="middle">{escape(text)}</text>'
        )


def _places(points: Points) -> str:
    return " ".join(f"{x},{y}" for x, y in points)


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


def build_svg(width: float, height: float, title: str, content: str) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(title)}"><title>{escape(title)}</title>{content}</svg>'
    )
