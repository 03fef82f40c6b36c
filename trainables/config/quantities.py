"""Read quantities as people write them."""

import re
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

SECONDS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
THOUSANDS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}


def seconds(text: str) -> float:
    """`90`, `90s`, `30m`, `2h`, `1d`, `5ms`, also `5e-05` as Python writes a float -> seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?(?:e-\d+)?)(ms|[smhd]?)", text)
    if not match:
        raise ValueError("a number with ms, s, m, h or d behind it: 5ms, 90s, 30m, 2h")
    return float(match[1]) * SECONDS[match[2] or "s"]


def large_number(text: str) -> int:
    """`1000`, `200k`, `1.5M`, `2G` -> a whole number."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kMG]?)", text)
    if not match:
        raise ValueError("a number, also with k, M or G behind it: 200k, 1.5M")
    return round(float(match[1]) * THOUSANDS[match[2]])


def number_or_auto(text: str) -> float | str:
    """`0.25`, `auto`"""
    return text if text == "auto" else _convert(text, float, "a number, or auto")


def count_or_auto(text: str) -> int | str:
    """`64`, `auto`"""
    return text if text == "auto" else _convert(text, int, "a whole number, or auto")


def _convert(text: str, to: Callable[[str], T], rule: str) -> T:
    try:
        return to(text)
    except ValueError as error:
        raise ValueError(rule) from error
