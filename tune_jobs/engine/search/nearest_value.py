"""Find the value of a parameter's distribution that is nearest to a given one."""

import math
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)


def nearest_value(distribution: BaseDistribution, value: Any) -> Any:
    """Return `value` where the distribution holds it, else the nearest that it does hold.

    What has no nearest one (`None` beside numbers, a word that is none of the choices) becomes the
    middle of a range, of its logarithm where the range is logarithmic, or the first choice.
    """
    match distribution:
        case CategoricalDistribution():
            return _nearest_choice(distribution, value)
        case IntDistribution() | FloatDistribution():
            return _nearest_number(distribution, value)
    raise TypeError(f"{distribution}: neither a range nor choices")


def describe(distribution: BaseDistribution) -> str:
    """Say what a distribution holds: `one of 16, 32`, `in [1e-06, 0.01]`."""
    match distribution:
        case CategoricalDistribution():
            return f"one of {', '.join(map(repr, distribution.choices))}"
        case IntDistribution() | FloatDistribution():
            step = distribution.step
            by = f" by {step:g}" if step not in (None, 1) else ""
            return f"in [{distribution.low:g}, {distribution.high:g}]{by}"
    raise TypeError(f"{distribution}: neither a range nor choices")


def _nearest_choice(distribution: CategoricalDistribution, value: Any) -> Any:
    if value in distribution.choices:
        return value
    numbers = [choice for choice in distribution.choices if _is_number(choice)]
    if numbers and _is_number(value):
        return min(numbers, key=lambda choice: abs(choice - value))
    return distribution.choices[0]


def _nearest_number(distribution: IntDistribution | FloatDistribution, value: Any) -> Any:
    low, high, step = distribution.low, distribution.high, distribution.step
    if not _is_number(value):
        value = math.sqrt(low * high) if distribution.log else (low + high) / 2
    inside = min(max(value, low), high)
    if step:
        inside = low + round((inside - low) / step) * step
    if isinstance(distribution, IntDistribution):
        return round(inside)
    is_held = low <= value <= high and math.isclose(inside, value, rel_tol=1e-9, abs_tol=1e-12)
    return value if is_held else float(inside)  # 0.3 is held by steps of 0.1, for instance


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
