"""What a trial is asked to do: parsed strictly from a flat dict, then frozen. Imports no torch."""

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Annotated, Any, Literal, TypeVar, get_origin, get_type_hints

from trainables.fields import (
    Count,
    Fraction,
    FractionBelowOne,
    NotNegative,
    Positive,
    Range,
    check_fields,
    nearest,
)

T = TypeVar("T")
B = TypeVar("B")

Precision = Literal["fp32", "bf16"]
OptimizerName = Literal["sgd", "adam", "adamw"]
ScheduleName = Literal[
    "constant", "step", "exponential", "warmup_exponential", "plateau", "cosine", "one_cycle"
]
NormalisationName = Literal["train", "imagenet", "half", "unit"]

MAX_ENTRIES = 16
"""Up to how many entries of a tuple a search space can name by number."""


class ConfigError(ValueError):
    """A configuration that breaks a rule; the message names key, value, rule and remedy."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Runtime:
    """Device, precision and memory format: chosen once for a run, part of a row's provenance."""

    device: Literal["cpu", "cuda"]
    device_name: str = "cpu"
    precision: Precision = "fp32"
    channels_last: bool = False

    def describe(self) -> str:
        """`bf16 channels_last`: what the leaderboard's `precision` column shows."""
        return self.precision + (" channels_last" if self.channels_last else "")


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialConfig:
    """How a network is trained; the architecture's own knobs are in its `Config`.

    `None` in a schedule's field means: derived from `epochs`, as `optim.build_schedule` says.
    """

    architecture: str
    epochs: Count
    batch_size: Count = 128
    lr: Positive = 1e-3
    l2: NotNegative = 0.0  # torch's `weight_decay`, with each optimizer's meaning of it
    optimizer: OptimizerName = "adam"
    momentum: FractionBelowOne = 0.9  # SGD only
    schedule: ScheduleName = "constant"
    step_epochs: Count | None = None
    step_gamma: Fraction = 0.1
    exponential_gamma: Fraction | None = None
    warmup_epochs: Count | None = None
    plateau_factor: FractionBelowOne = 0.1
    plateau_patience: Annotated[int, Range(0)] | None = None
    plateau_min_lr: NotNegative = 0.0
    label_smoothing: FractionBelowOne = 0.0
    horizontal_flip: Fraction = 0.0  # probability
    vertical_flip: Fraction = 0.0  # probability
    crop_padding: Annotated[float, Range(0, 0.5)] = 0.0  # of the image's side, on each side
    crop_fraction: Annotated[float, Range(0, 1, open_minimum=True)] = 1.0
    """Of the side: what the network sees, a random crop in training, else the centre."""
    rotation_degrees: Annotated[float, Range(0, 180)] = 0.0  # drawn from [-x, x], as the next three
    shear_degrees: Annotated[float, Range(0, 60)] = 0.0
    zoom: FractionBelowOne = 0.0  # 0.1: 90 % to 110 % of the size
    translation: FractionBelowOne = 0.0  # of the image's side
    normalisation: NormalisationName = "train"
    num_features: Count | None = None  # the first so many of precomputed features; `None`: all


@dataclass(frozen=True, kw_only=True, slots=True)
class EstimatorConfig:
    """How an estimator is fitted; its own knobs are in its `Config`.

    The fidelity of epoch n is n / `epochs`: a share of the train split, or of the boosting rounds.
    """

    architecture: str
    epochs: Count
    num_features: Count | None = None  # the first so many of precomputed features; `None`: all


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
