"""Charts as inline SVG. Colours are the page's, so that they follow light and dark.

Written by hand: a page of six kinds of marks needs no plotting library, whose SVG would bring its
own fonts and colours and, of a confusion matrix, half a megabyte.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

WIDTH, HEIGHT = 460, 260
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 40
NUM_TICKS = 5
MOST_NUMBERED_CLASSES = 20
"""A larger confusion matrix has no room for its counts."""
LEAST_INK, MOST_INK = 0.15, 0.5
"""Of a cell; counts are readable on all of them, light and dark."""


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to pixels; logarithmic where a search space is. Counts have whole ticks."""

    low: float
    high: float
    first: float
    last: float
    is_log: bool = False
    is_whole: bool = False

    def __call__(self, value: float) -> float:
        low, high = self._position(self.low), self._position(self.high)
        share = (self._position(value) - low) / ((high - low) or 1.0)
        return round(self.first + share * (self.last - self.first), 1)

    def ticks(self) -> list[float]:
        if self.is_log:
            first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
            powers = [10.0**n for n in range(first, last + 1)]
            inside = [p for p in powers if self.low <= p <= self.high]
            return inside if len(inside) > 1 else [self.low, self.high]
        span = (self.high - self.low) or 1.0
        step = 10 ** math.floor(math.log10(span / NUM_TICKS))
        step = max(step, 1) if self.is_whole else step
        step = next(step * m for m in (1, 2, 5, 10) if span / (step * m) <= NUM_TICKS)
        first_tick = math.ceil(self.low / step - 1e-9)
        return [n * step for n in range(first_tick, math.floor(self.high / step + 1e-9) + 1)]

    def _position(self, value: float) -> float:
        return math.log10(value) if self.is_log else value


@dataclass(frozen=True, slots=True)
class Line:
    """`style` is a class of the page's style sheet: main, faint, step."""

    xs: Sequence[float]
    ys: Sequence[float]
    style: str = "main"


@dataclass(frozen=True, slots=True)
class Band:
    """What lies between two lines: a spread."""

    xs: Sequence[float]
    lows: Sequence[float]
    highs: Sequence[float]


@dataclass(frozen=True, slots=True)
class Dots:
    xs: Sequence[float]
    ys: Sequence[float]
    labels: Sequence[str]


def chart(
    marks: Sequence[Line | Band | Dots],
    *,
    title: str,
    x: str,
    y: str,
    is_log: bool = False,
    from_zero: bool = False,
    choices: Sequence[str] = (),
) -> str:
    """Marks over axes with ticks.

    Args:
        title: The text alternative.
        choices: Names of 0, 1, ... on the axis across, in place of numbers.
    """
    xs = [value for mark in marks for value in mark.xs]
    ys = [
        value
        for mark in marks
        for value in ((*mark.lows, *mark.highs) if isinstance(mark, Band) else mark.ys)
    ]
    margin = 0.05 * (max(ys) - min(ys)) or 0.01
    low = 0 if from_zero else min(ys) - margin
    if choices:
        xs = [*xs, -0.5, len(choices) - 0.5]
    across = Scale(min(xs), max(xs), LEFT, WIDTH - RIGHT, is_log, _is_whole(xs))
    up = Scale(low, max(ys) + margin, HEIGHT - BOTTOM, TOP, is_whole=_is_whole(ys))
    ticks: dict[float, str] = dict(enumerate(choices))
    ticks = ticks or {tick: f"{tick:g}" for tick in across.ticks()}
    parts = [_axes(across, up, x, y, ticks), *(_draw(mark, across, up) for mark in marks)]
    return build_svg(WIDTH, HEIGHT, title, "".join(parts))


def bars(labels: Sequence[str], values: Sequence[float], *, title: str) -> str:
    """One horizontal bar per label, its value behind it."""
    line, text = 24, 150
    most = max(values, default=1.0) or 1.0
    parts = []
    for place, (label, value) in enumerate(zip(labels, values, strict=True)):
        width = round((WIDTH - text - 60) * value / most, 1)
        y = place * line
        parts.append(
            f'<text x="{text - 8}" y="{y + 16}" text-anchor="end">{escape(label)}</text>'
            f'<rect class="bar" x="{text}" y="{y + 4}" width="{width}" height="16"/>'
            f'<text x="{text + width + 6}" y="{y + 16}">{value:.2f}</text>'
        )
    return build_svg(WIDTH, line * len(labels) + 4, title, "".join(parts))


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


def _is_whole(values: Sequence[float]) -> bool:
    return all(isinstance(value, int) for value in values)


def shorten(name: str) -> str:
    return name if len(name) < 18 else f"{name[:16]}…"


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


def _axes(across: Scale, up: Scale, x: str, y: str, ticks: Mapping[float, str]) -> str:
    bottom = HEIGHT - BOTTOM
    parts = [f'<path class="axis" d="M{LEFT} {TOP}V{bottom}H{WIDTH - RIGHT}"/>']
    for tick, label in ticks.items():
        parts.append(
            f'<text x="{across(tick)}" y="{bottom + 15}" text-anchor="middle">'
            f"{escape(shorten(label))}</text>"
        )
    for tick in up.ticks():
        parts.append(
            f'<path class="grid" d="M{LEFT} {up(tick)}H{WIDTH - RIGHT}"/>'
            f'<text x="{LEFT - 5}" y="{up(tick) + 4}" text-anchor="end">{tick:.4g}</text>'
        )
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x)}</text>')
    parts.append(
        f'<text transform="translate(13 {(TOP + bottom) / 2}) rotate(-90)" '
        f'text-anchor="middle">{escape(y)}</text>'
    )
    return "".join(parts)


def build_svg(width: float, height: float, title: str, content: str) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(title)}"><title>{escape(title)}</title>{content}</svg>'
    )
