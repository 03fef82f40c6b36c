"""Lay every parameter's values on [0, 1], in their order, so that distances can be told.

A range that depends on another parameter keeps its centre there: the middle of SGD's learning rates
and the middle of Adam's lie at the same place.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial

UNIT = FloatDistribution(0.0, 1.0)

Place = Mapping[str, tuple[BaseDistribution, Any]]
"""Where a trial lies: of each parameter `UNIT` and a number on [0, 1], or its choices and one of
them where they have no order."""


def is_ordered(distribution: BaseDistribution) -> bool:
    """Return whether the values have an order: ranges, and choices that are numbers and rise."""
    if not isinstance(distribution, CategoricalDistribution):
        return True
    choices: list[Any] = list(distribution.choices)
    are_numbers = all(type(choice) in (int, float) for choice in choices)
    return are_numbers and choices == sorted(choices)


def to_unit(distribution: BaseDistribution, value: Any) -> float:
    """Return where a value of an ordered distribution lies on [0, 1]."""
    match distribution:
        case CategoricalDistribution():
            return (distribution.choices.index(value) + 0.5) / len(distribution.choices)
        case IntDistribution() | FloatDistribution():
            low, high = _bounds(distribution)
            if low == high:
                return 0.5
            number = math.log(value) if distribution.log else value
            return float(min(1.0, max(0.0, (number - low) / (high - low))))
    raise TypeError(f"{distribution}: neither a range nor choices")


def from_unit(distribution: BaseDistribution, unit: float) -> Any:
    """Return the value of an ordered distribution that lies at `unit`, in [0, 1]."""
    match distribution:
        case CategoricalDistribution():
            last = len(distribution.choices) - 1
            return distribution.choices[min(int(unit * (last + 1)), last)]
        case IntDistribution() | FloatDistribution():
            low, high = _bounds(distribution)
            number = low + unit * (high - low)
            number = math.exp(number) if distribution.log else number
            step = distribution.step
            if step:
                number = distribution.low + round((number - distribution.low) / step) * step
            inside = min(max(number, float(distribution.low)), float(distribution.high))
            return int(inside) if isinstance(distribution, IntDistribution) else float(inside)
    raise TypeError(f"{distribution}: neither a range nor choices")


def place(trial: FrozenTrial) -> Place:
    """Return where a trial lies: each parameter on [0, 1] where its values have an order."""
    return {
        name: (UNIT, to_unit(distribution, trial.params[name]))
        if is_ordered(distribution)
        else (distribution, trial.params[name])
        for name, distribution in trial.distributions.items()
    }


def unit_space(places: Iterable[Place]) -> dict[str, BaseDistribution]:
    """Return the parameters of all trials: [0, 1] where the values have an order, else the choices
    of the first trial that has the parameter."""
    space: dict[str, BaseDistribution] = {}
    for found in places:
        for name, (distribution, _) in found.items():
            space.setdefault(name, distribution)
    return space


def lay(found: Place, space: Mapping[str, BaseDistribution]) -> dict[str, Any]:
    """Lay a trial in a `unit_space`; it is given the middle, or the first choice, of a parameter
    that it does not have."""
    return {
        name: found[name][1] if name in found else _default(distribution)
        for name, distribution in space.items()
    }


def _default(distribution: BaseDistribution) -> Any:
    return distribution.choices[0] if isinstance(distribution, CategoricalDistribution) else 0.5


def _bounds(distribution: IntDistribution | FloatDistribution) -> tuple[float, float]:
    """Return the ends of the range, or of its logarithm; whole numbers have half a step around."""
    half = distribution.step / 2 if isinstance(distribution, IntDistribution) else 0.0
    low, high = distribution.low - half, distribution.high + half
    return (math.log(low), math.log(high)) if distribution.log else (low, high)
