"""What a chart is made of: marks, and what their axes say."""

from collections.abc import Sequence
from dataclasses import dataclass


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Bars:
    """One horizontal bar per label, its value behind it."""

    labels: Sequence[str]
    values: Sequence[float]
    title: str
