"""Parse a flat configuration strictly into typed ones, and spell it as a search space does."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, replace
from typing import Any, TypeVar, get_origin, get_type_hints

from trainables.config.augmentations import AUGMENTATIONS
from trainables.config.errors import ConfigError
from trainables.config.trial import EstimatorConfig, TrialConfig
from trainables.config.validation import check_fields, nearest

T = TypeVar("T")

MAX_ENTRIES = 16
"""A search space can name up to so many entries of a tuple by number."""


def parse_trial(flat: Mapping[str, Any], architecture_config: type[T]) -> tuple[TrialConfig, T]:
    """Split a flat configuration into the training's part and the architecture's, both checked.

    Args:
        flat: What a search space suggests and returns, with `architecture` and `epochs`. Numbered
            keys are the entries of a tuple: `filters_1, filters_2` become `filters`; an entry
            of 0 is left out, so that a search can drop a layer.
        architecture_config: The `Config` of the architecture's module.

    Raises:
        ConfigError: There are unknown keys, wrong types or values out of range; the message tells
            all of them at once. Or two parts have a knob of the same name.
    """
    parts: list[type[Any]] = [TrialConfig, *AUGMENTATIONS.values(), architecture_config]
    trial, *augmentations, own = _parse(flat, parts)
    return replace(trial, augmentations=tuple(augmentations)), own


def parse_estimator(
    flat: Mapping[str, Any], estimator_config: type[T]
) -> tuple[EstimatorConfig, T]:
    """Do the same as `parse_trial` for a scikit-learn estimator."""
    config, own = _parse(flat, (EstimatorConfig, estimator_config))
    return config, own


def _parse(flat: Mapping[str, Any], parts: Sequence[type[Any]]) -> list[Any]:
    """Build each of the dataclasses from its keys; the last one is the architecture's."""
    joined = join_numbered(flat, _tuple_names(parts[-1]))
    known = _owners(parts)
    problems = [_unknown(key, joined[key], sorted(known)) for key in joined if key not in known]
    checked = []
    for part in parts:
        given = {key: value for key, value in joined.items() if known.get(key) is part}
        values, wrong = check_fields(part, given)
        checked.append(values)
        problems += wrong
    if problems:
        raise ConfigError("\n".join(problems))
    return [part(**values) for part, values in zip(parts, checked, strict=True)]


def default_config(
    architecture: str,
    architecture_config: type[Any],
    base: type[TrialConfig] | type[EstimatorConfig] = TrialConfig,
) -> dict[str, Any]:
    """Spell out the configuration of `architecture`'s defaults, complete but for `epochs`."""
    augmentations = AUGMENTATIONS.values() if base is TrialConfig else ()
    defaults: dict[str, Any] = {"architecture": architecture}
    for part in (base, *augmentations, architecture_config):
        defaults |= {f.name: f.default for f in fields(part) if f.default is not MISSING}
    return defaults


def complete_config(default: Mapping[str, Any], flat: Mapping[str, Any]) -> dict[str, Any]:
    """Lay `flat` over the defaults, with its numbered keys joined."""
    tuple_names = {name for name, value in default.items() if isinstance(value, (list, tuple))}
    return {**default, **join_numbered(flat, tuple_names)}


def number_entries(config: Mapping[str, Any]) -> dict[str, Any]:
    """Spell `config` as a search space does: `{"filters": (20, 64)}` -> `filters_1`, `filters_2`.

    Zeros follow up to `MAX_ENTRIES`, for spaces that may add entries.
    """
    flat: dict[str, Any] = {}
    for name, value in config.items():
        if isinstance(value, (list, tuple)):
            entries = (*value, *(0,) * (MAX_ENTRIES - len(value)))
            flat |= {f"{name}_{i}": entry for i, entry in enumerate(entries, start=1)}
        else:
            flat[name] = value
    return flat


def join_numbered(flat: Mapping[str, Any], tuple_names: set[str]) -> dict[str, Any]:
    """Join `{"filters_1": 20, "filters_2": 64, "filters_3": 0}` -> `{"filters": (20, 64)}`.

    Raises:
        ConfigError: A tuple is given both whole and by numbered keys.
    """
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


def _owners(parts: Sequence[type[Any]]) -> dict[str, type[Any]]:
    """Find the part that each key of a flat configuration belongs to.

    Raises:
        ConfigError: Two parts have a knob of the same name, which would set both.
    """
    owners: dict[str, type[Any]] = {}
    for part in parts:
        for key in (f.name for f in fields(part) if f.metadata.get("flat", True)):
            if key in owners:
                raise ConfigError(
                    f"{key}: a knob of both {owners[key].__name__} and {part.__name__}: "
                    "give one of them another name"
                )
            owners[key] = part
    return owners


def _tuple_names(cls: type[Any]) -> set[str]:
    return {name for name, hint in get_type_hints(cls).items() if get_origin(hint) is tuple}


def _unknown(key: str, value: object, known: list[str]) -> str:
    hint = nearest(key, known) or f"; known: {', '.join(known)}"
    return f"{key} = {value!r}: unknown key{hint}"
