"""What a chart is made of. `svg` draws it for the page, `raster` for TensorBoard."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 460, 260
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 40
NUM_TICKS = 5
BAR_LEFT, BAR_LINE = 150, 24


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Chart:
    """Marks over axes with ticks.

    Attributes:
        title: The text alternative.
        choices: Names of 0, 1, ... on the axis across, in place of numbers.
    """

    marks: Sequence[Line | Band | Dots]
    title: str
    x: str
    y: str
    is_log: bool = False
    from_zero: bool = False
    choices: Sequence[str] = ()

    def across(self) -> Scale:
        xs = [value for mark in self.marks for value in mark.xs]
        if self.choices:
            xs = [*xs, -0.5, len(self.choices) - 0.5]
        return Scale(min(xs), max(xs), LEFT, WIDTH - RIGHT, self.is_log, _is_whole(xs))

    def up(self) -> Scale:
        ys = [
            value
            for mark in self.marks
            for value in ((*mark.lows, *mark.highs) if isinstance(mark, Band) else mark.ys)
        ]
        margin = 0.05 * (max(ys) - min(ys)) or 0.01
        low = 0 if self.from_zero else min(ys) - margin
        return Scale(low, max(ys) + margin, HEIGHT - BOTTOM, TOP, is_whole=_is_whole(ys))

    def ticks(self) -> Mapping[float, str]:
        """Of the axis across, by value."""
        if self.choices:
            return dict(enumerate(map(shorten, self.choices)))
        return {tick: f"{tick:g}" for tick in self.across().ticks()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Bars:
    """One horizontal bar per label, its value behind it."""

    labels: Sequence[str]
    values: Sequence[float]
    title: str

    def widths(self) -> list[float]:
        most = max(self.values, default=1.0) or 1.0
        return [round((WIDTH - BAR_LEFT - 60) * value / most, 1) for value in self.values]


def shorten(name: str) -> str:
    return name if len(name) < 18 else f"{name[:16]}…"


def _is_whole(values: Sequence[float]) -> bool:
    return all(isinstance(value, int) for value in values)
