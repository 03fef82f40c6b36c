"""Dataclass fields that say what they hold: values are checked against their annotations."""

import difflib
import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints


class _RuleError(ValueError):
    """What a value must be, and is not."""


@dataclass(frozen=True, slots=True)
class Range:
    """The finite numbers from `minimum` to `maximum`; ends are excluded where said."""

    minimum: float = float("-inf")
    maximum: float = float("inf")
    open_minimum: bool = False
    open_maximum: bool = False

    def admits(self, value: float) -> bool:
        if not math.isfinite(value):
            return False
        above = value > self.minimum if self.open_minimum else value >= self.minimum
        below = value < self.maximum if self.open_maximum else value <= self.maximum
        return above and below

    def __str__(self) -> str:
        if self.maximum == float("inf"):
            return f"{'greater than' if self.open_minimum else 'at least'} {self.minimum:g}"
        left, right = "(["[not self.open_minimum], ")]"[not self.open_maximum]
        return f"in {left}{self.minimum:g}, {self.maximum:g}{right}"


Positive = Annotated[float, Range(0, open_minimum=True)]
NotNegative = Annotated[float, Range(0)]
Fraction = Annotated[float, Range(0, 1)]
FractionBelowOne = Annotated[float, Range(0, 1, open_maximum=True)]
Count = Annotated[int, Range(1)]


def check_fields(cls: type[Any], values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """`values` as the dataclass's annotations want them, and what is wrong with them, a line each.

    An int becomes a float where one is wanted, a list a tuple, a string a path or the reverse.
    """
    hints = get_type_hints(cls, include_extras=True)
    checked, problems = dict(values), []
    for f in fields(cls):
        if f.name not in values:
            if f.default is MISSING:
                problems.append(f"{f.name}: required, but missing")
            continue
        try:
            checked[f.name] = _coerce(values[f.name], hints[f.name])
        except _RuleError as error:
            problems.append(f"{f.name} = {values[f.name]!r}: must be {error}")
    return checked, problems


def nearest(name: str, known: list[str]) -> str:
    """` (did you mean 'x'?)`, or nothing where no known name is near."""
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _coerce(value: Any, hint: Any) -> Any:
    """`value` as `hint` wants it, or or an error that says what it must be."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if value is None:
            return None
        problems = []
        for alternative in arguments:
            if alternative is not types.NoneType:
                try:
                    return _coerce(value, alternative)
                except _RuleError as error:
                    problems.append(str(error))
        raise _RuleError(" or ".join(problems))
    if origin is Annotated:
        value = _coerce(value, arguments[0])
        rules = [rule for rule in arguments[1:] if not rule.admits(value)]
        if rules:
            raise _RuleError(str(rules[0]))
        return value
    if origin is Literal:
        if value not in arguments:
            raise _RuleError(f"one of {', '.join(map(str, arguments))}{_near(value, arguments)}")
        return value
    if origin is tuple:
        if not isinstance(value, (list, tuple)):
            raise _RuleError("a list")
        return tuple(_coerce(entry, arguments[0]) for entry in value)
    if hint is Path and isinstance(value, (str, Path)):
        return Path(value)
    if hint is str and isinstance(value, Path):
        return str(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not hint:
        raise _RuleError(f"of type {hint.__name__}, not {type(value).__name__}")
    return value


def _near(value: object, choices: tuple[Any, ...]) -> str:
    return nearest(value, [str(c) for c in choices]) if isinstance(value, str) else ""
