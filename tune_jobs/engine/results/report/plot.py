"""Where a chart's marks go. A canvas draws them: `svg` for the page, `raster` for TensorBoard."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from tune_jobs.engine.results.report.marks import Band, Bars, Chart, Dots, Line

WIDTH, HEIGHT = 460, 260
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 40
NUM_TICKS = 5
CHARACTER = 7  # wide, about
BAR_LEFT, BAR_LINE, BAR_HEIGHT = 150, 24, 16

Points = Sequence[tuple[float, float]]
Anchor = Literal["start", "middle", "end"]


class Canvas(Protocol):
    """Takes places in pixels; a text lies with the middle of its height there."""

    def line(self, points: Points, style: str) -> None:
        """Args: `style`: axis, grid, or a `Line`'s."""
        ...

    def area(self, points: Points) -> None: ...
    def bar(self, x: float, y: float, width: float, height: float) -> None: ...
    def dot(self, x: float, y: float, label: str) -> None: ...
    def text(self, x: float, y: float, text: str, anchor: Anchor) -> None: ...

    def upright(self, x: float, y: float, text: str) -> None:
        """Text that reads upwards, with its middle there."""
        ...


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


def size_of(chart: Chart | Bars) -> tuple[int, int]:
    """Width and height."""
    return WIDTH, BAR_LINE * len(chart.labels) + 4 if isinstance(chart, Bars) else HEIGHT


def plot(chart: Chart | Bars, canvas: Canvas) -> None:
    if isinstance(chart, Bars):
        _plot_bars(chart, canvas)
    else:
        across, up = _across(chart), _up(chart)
        _plot_axes(chart, across, up, canvas)
        for mark in chart.marks:
            _plot_mark(mark, across, up, canvas)


def shorten(name: str, longest: int = 17) -> str:
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def _plot_bars(bars: Bars, canvas: Canvas) -> None:
    most = max(bars.values, default=1.0) or 1.0
    for place, (label, value) in enumerate(zip(bars.labels, bars.values, strict=True)):
        width = round((WIDTH - BAR_LEFT - 60) * value / most, 1)
        top = place * BAR_LINE + 4
        middle = top + BAR_HEIGHT / 2
        canvas.text(BAR_LEFT - 8, middle, label, "end")
        canvas.bar(BAR_LEFT, top, width, BAR_HEIGHT)
        canvas.text(BAR_LEFT + width + 6, middle, f"{value:.2f}", "start")


def _plot_axes(chart: Chart, across: Scale, up: Scale, canvas: Canvas) -> None:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    canvas.line([(LEFT, TOP), (LEFT, bottom), (right, bottom)], "axis")
    for tick, label in _ticks(chart, across).items():
        canvas.text(across(tick), bottom + 11, label, "middle")
    for tick in up.ticks():
        canvas.line([(LEFT, up(tick)), (right, up(tick))], "grid")
        canvas.text(LEFT - 5, up(tick), f"{tick:.4g}", "end")
    canvas.text((LEFT + right) / 2, HEIGHT - 10, chart.x, "middle")
    canvas.upright(9, (TOP + bottom) / 2, chart.y)


def _plot_mark(mark: Line | Band | Dots, across: Scale, up: Scale, canvas: Canvas) -> None:
    xs = [across(x) for x in mark.xs]
    match mark:
        case Band(lows=lows, highs=highs):
            there = list(zip(xs, map(up, highs), strict=True))
            back = list(zip(xs, map(up, lows), strict=True))
            canvas.area(there + back[::-1])
        case Dots(ys=ys, labels=labels):
            for x, y, label in zip(xs, ys, labels, strict=True):
                canvas.dot(x, up(y), label)
        case Line(ys=ys, style=style):
            canvas.line(list(zip(xs, map(up, ys), strict=True)), style)


def _across(chart: Chart) -> Scale:
    xs = [value for mark in chart.marks for value in mark.xs]
    if chart.choices:
        xs = [*xs, -0.5, len(chart.choices) - 0.5]
    return Scale(min(xs), max(xs), LEFT, WIDTH - RIGHT, chart.is_log, _is_whole(xs))


def _up(chart: Chart) -> Scale:
    ys = [
        value
        for mark in chart.marks
        for value in ((*mark.lows, *mark.highs) if isinstance(mark, Band) else mark.ys)
    ]
    margin = 0.05 * (max(ys) - min(ys)) or 0.01
    low = 0 if chart.from_zero else min(ys) - margin
    return Scale(low, max(ys) + margin, HEIGHT - BOTTOM, TOP, is_whole=_is_whole(ys))


def _ticks(chart: Chart, across: Scale) -> Mapping[float, str]:
    """Of the axis across, by value."""
    if chart.choices:
        room = (across.last - across.first) / len(chart.choices)
        longest = max(2, int(room / CHARACTER))
        return {place: shorten(name, longest) for place, name in enumerate(chart.choices)}
    return {tick: f"{tick:g}" for tick in across.ticks()}


def _is_whole(values: Sequence[float]) -> bool:
    return all(isinstance(value, int) for value in values)
