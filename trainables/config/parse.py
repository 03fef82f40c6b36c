"""From a flat configuration to typed ones, strictly, and back to what a search space spells."""

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar, get_origin, get_type_hints

from trainables.config.errors import ConfigError
from trainables.config.trial import EstimatorConfig, TrialConfig
from trainables.config.validation import check_fields, nearest

T = TypeVar("T")
B = TypeVar("B")

MAX_ENTRIES = 16
"""Up to how many entries of a tuple a search space can name by number."""


def parse_trial(flat: Mapping[str, Any], architecture_config: type[T]) -> tuple[TrialConfig, T]:
    """Split a flat configuration into the training's part and the architecture's, both checked.

    Args:
        flat: What a search space suggests and returns, with `architecture` and `epochs`. Numbered
            keys are the entries of a tuple: `filters_1, filters_2` become `filters`; an entry
            of 0 is left out, so that a search can drop a layer.
        architecture_config: The `Config` of the architecture's module.

    Raises:
        ConfigError: Unknown keys, wrong types and values out of range, all of them at once.
    """
    return _parse(flat, TrialConfig, architecture_config)


def parse_estimator(
    flat: Mapping[str, Any], estimator_config: type[T]
) -> tuple[EstimatorConfig, T]:
    """`parse_trial`, for a scikit-learn estimator."""
    return _parse(flat, EstimatorConfig, estimator_config)


def _parse(flat: Mapping[str, Any], base: type[B], own: type[T]) -> tuple[B, T]:
    base_names, own_names = _names(base), _names(own)
    joined = join_numbered(flat, _tuple_names(own))
    known = sorted(base_names | own_names)
    problems = [_unknown(key, value, known) for key, value in joined.items() if key not in known]
    general, wrong = check_fields(base, {k: v for k, v in joined.items() if k in base_names})
    special, more = check_fields(own, {k: v for k, v in joined.items() if k in own_names})
    problems += wrong + more
    if problems:
        raise ConfigError("\n".join(problems))
    return base(**general), own(**special)


def default_config(
    architecture: str,
    architecture_config: type[Any],
    base: type[TrialConfig] | type[EstimatorConfig] = TrialConfig,
) -> dict[str, Any]:
    """The configuration that `architecture`'s defaults spell, complete but for `epochs`."""
    defaults: dict[str, Any] = {"architecture": architecture}
    for cls in (base, architecture_config):
        defaults |= {f.name: f.default for f in fields(cls) if f.default is not MISSING}
    return defaults


def complete_config(default: Mapping[str, Any], flat: Mapping[str, Any]) -> dict[str, Any]:
    """`flat` over the defaults, with its numbered keys joined."""
    tuple_names = {name for name, value in default.items() if isinstance(value, (list, tuple))}
    return {**default, **join_numbered(flat, tuple_names)}


def number_entries(config: Mapping[str, Any]) -> dict[str, Any]:
    """`config` as a search space spells it: `{"filters": (20, 64)}` -> `filters_1`, `filters_2`,
    and zeros up to `MAX_ENTRIES` for spaces that may add entries."""
    flat: dict[str, Any] = {}
    for name, value in config.items():
        if isinstance(value, (list, tuple)):
            entries = (*value, *(0,) * (MAX_ENTRIES - len(value)))
            flat |= {f"{name}_{i}": entry for i, entry in enumerate(entries, start=1)}
        else:
            flat[name] = value
    return flat


def join_numbered(flat: Mapping[str, Any], tuple_names: set[str]) -> dict[str, Any]:
    """`{"filters_1": 20, "filters_2": 64, "filters_3": 0}` -> `{"filters": (20, 64)}`."""
    joined: dict[str, Any] = {}
    entries: dict[str, dict[int, Any]] = {}
    for key, value in flat.items():
        name, _, number = key.rpartition("_")
        if name in tuple_names and re.fullmatch("[1-9][0-9]*", number):
            entries.setdefault(name, {})[int(number)] = value
        else:
            joined[key] = value
    for name, by_number in entries.items():
        if name in joined:
            raise ConfigError(f"{name} is given both whole and by numbered keys: give one of them")
        in_order = [by_number[i] for i in sorted(by_number)]
        joined[name] = tuple(e for e in in_order if not (type(e) is int and e == 0))
    return joined


def _names(cls: type[Any]) -> set[str]:
    return {f.name for f in fields(cls)}


def _tuple_names(cls: type[Any]) -> set[str]:
    return {name for name, hint in get_type_hints(cls).items() if get_origin(hint) is tuple}


def _unknown(key: str, value: object, known: list[str]) -> str:
    hint = nearest(key, known) or f"; known: {', '.join(known)}"
    return f"{key} = {value!r}: unknown key{hint}"
