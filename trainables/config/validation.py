"""Values for dataclasses are checked against the fields' annotations, JSON's among them."""

import difflib
import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


class _RuleError(ValueError):
    """A value breaks its field's rule; the message says what the value must be."""


class _PartError(_RuleError):
    """Fields of a dataclass within a dataclass break their rules."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Range:
    """The rule admits finite numbers from `minimum` to `maximum`, except for ends that are open."""

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


@dataclass(frozen=True, slots=True)
class OneOf:
    """The rule admits the names of a table, read when a value is checked: the table may grow."""

    table: Mapping[str, object] = field(hash=False)  # `Annotated[...] | None` is hashed

    def admits(self, value: object) -> bool:
        return isinstance(value, str) and value in self.table

    def __str__(self) -> str:
        return f"one of {', '.join(self.table)}"


Positive = Annotated[float, Range(0, open_minimum=True)]
NotNegative = Annotated[float, Range(0)]
Fraction = Annotated[float, Range(0, 1)]
FractionBelowOne = Annotated[float, Range(0, 1, open_maximum=True)]
Count = Annotated[int, Range(1)]


def check_fields(cls: type[Any], values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Check `values` against a dataclass's annotations -> the values, and a line for each problem.

    An int becomes a float where one is wanted, a list a tuple, a string a path or the reverse.
    """
    hints = _hints(cls)  # type: ignore[arg-type]  # a class is hashable
    checked, problems = dict(values), []
    for f in fields(cls):
        if f.name not in values:
            if f.default is MISSING and f.default_factory is MISSING:
                problems.append(f"{f.name}: required, but missing")
            continue
        try:
            checked[f.name] = _coerce(values[f.name], hints[f.name])
        except _PartError as error:
            problems += [f"{f.name}.{problem}" for problem in error.problems]
        except _RuleError as error:
            problems.append(f"{f.name} = {values[f.name]!r}: must be {error}")
    return checked, problems


def from_json(cls: type[T], stored: Mapping[str, Any]) -> T:
    """Build the dataclass that `to_json` has stored, without names that another version wrote.

    Raises:
        ValueError: Values are missing, or are not what their fields hold; the message tells all.
    """
    try:
        return _build(cls, stored)
    except _PartError as error:
        raise ValueError(str(error)) from error


def to_json(value: Any) -> Any:
    """Turn a dataclass and all in it into what JSON has: tuples into lists, paths into text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {name: to_json(held) for name, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(held) for held in value]
    return str(value) if isinstance(value, (Path, Enum)) else value


def nearest(name: str, known: list[str]) -> str:
    """Return ` (did you mean 'x'?)`, or nothing where no known name is near."""
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


@cache
def _hints(cls: type[Any]) -> dict[str, Any]:
    """The annotations; cached, since a record holds one `EpochMetrics` for every epoch."""
    return get_type_hints(cls, include_extras=True)


def _build(cls: type[T], stored: Mapping[str, Any]) -> T:
    names = {f.name for f in fields(cls)}  # type: ignore[arg-type]
    values, problems = check_fields(cls, {k: v for k, v in stored.items() if k in names})
    if problems:
        raise _PartError(problems)
    return cls(**values)


def _coerce(value: Any, hint: Any) -> Any:
    """Turn `value` into what `hint` wants, or raise `_RuleError` with what it must be."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if origin in (Union, types.UnionType):
        return _coerce_to_any_of(value, arguments)
    if origin is Annotated:
        return _coerce_by_rules(value, arguments[0], arguments[1:])
    if origin is Literal:
        if value not in arguments:
            raise _RuleError(f"one of {', '.join(map(str, arguments))}{_near(value, arguments)}")
        return value
    if origin is tuple:
        return _coerce_to_tuple(value, arguments)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise _RuleError("names and values")
        return {name: _coerce(held, arguments[1]) for name, held in value.items()}
    return _coerce_to_class(value, hint)


def _coerce_by_rules(value: Any, hint: Any, rules: tuple[Any, ...]) -> Any:
    for names in (rule for rule in rules if isinstance(rule, OneOf)):
        if not names.admits(value):  # before the type: the names say more than `of type str`
            raise _RuleError(f"{names}{_near(value, names.table)}")
    value = _coerce(value, hint)
    broken = next((rule for rule in rules if not rule.admits(value)), None)
    if broken:
        raise _RuleError(str(broken))
    return value


def _coerce_to_any_of(value: Any, alternatives: tuple[Any, ...]) -> Any:
    if value is None and types.NoneType in alternatives:
        return None
    problems = []
    for alternative in alternatives:
        if alternative is not types.NoneType:
            try:
                return _coerce(value, alternative)
            except _RuleError as error:
                problems.append(str(error))
    raise _RuleError(" or ".join(problems))


def _coerce_to_tuple(value: Any, hints: tuple[Any, ...]) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise _RuleError("a list")
    if hints[-1] is Ellipsis:
        return tuple(_coerce(entry, hints[0]) for entry in value)
    if len(value) != len(hints):
        raise _RuleError(f"a list of {len(hints)}")
    return tuple(_coerce(entry, hint) for entry, hint in zip(value, hints, strict=True))


def _coerce_to_class(value: Any, cls: type[Any]) -> Any:
    if is_dataclass(cls) and isinstance(value, Mapping):
        return _build(cls, value)
    if issubclass(cls, Enum) and isinstance(value, str):
        known = {str(member): member for member in cls}
        if value not in known:
            raise _RuleError(f"one of {', '.join(known)}")
        return known[value]
    if cls is Path and isinstance(value, (str, Path)):
        return Path(value)
    if cls is str and isinstance(value, Path):
        return str(value)
    if cls is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not cls:
        raise _RuleError(f"of type {cls.__name__}, not {type(value).__name__}")
    return value


def _near(value: object, choices: Any) -> str:
    return nearest(value, [str(c) for c in choices]) if isinstance(value, str) else ""
