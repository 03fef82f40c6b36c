"""Strict parsing of a flat configuration."""

import re
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from trainables.config import (
    ConfigError,
    Runtime,
    TrialConfig,
    default_config,
    number_entries,
    parse_trial,
)
from trainables.config.validation import Count, FractionBelowOne, Range


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    filters: tuple[Count, ...] = (32, 64)
    batch_norm: bool = True
    dropout: FractionBelowOne = 0.0


def parse(**given: Any) -> tuple[TrialConfig, Config]:
    return parse_trial({"architecture": "net", "epochs": 5, **given}, Config)


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("epochs", 2.0, "of type int, not float"),
        ("epochs", True, "of type int, not bool"),
        ("epochs", None, "of type int, not NoneType"),
        ("architecture", 3, "of type str, not int"),
        ("lr", "0.1", "of type float, not str"),
        ("lr", False, "of type float, not bool"),
        ("batch_norm", 1, "of type bool, not int"),
        ("filters", 32, "a list"),
        ("filters", "32", "a list"),
        ("filters", [32, 1.5], "of type int, not float"),
        ("step_epochs", 1.5, "of type int, not float"),
        ("epochs", 0, "at least 1"),
        ("lr", 0.0, "greater than 0"),
        ("lr", -1e-3, "greater than 0"),
        ("lr", float("nan"), "greater than 0"),
        ("l2", -1e-9, "at least 0"),
        ("momentum", 1.0, "in [0, 1)"),
        ("dropout", 1, "in [0, 1)"),
        ("horizontal_flip", 1.1, "in [0, 1]"),
        ("crop_padding", 0.51, "in [0, 0.5]"),
        ("rotation_degrees", 181, "in [0, 180]"),
        ("step_epochs", 0, "at least 1"),
        ("filters", [32, -1], "at least 1"),
        ("optimizer", "adamm", "one of sgd, adam, adamw (did you mean 'adam'?)"),
        ("optimizer", 3, "one of sgd, adam, adamw"),
        ("optimizer", ["sgd"], "one of sgd, adam, adamw"),
    ],
)
def test_error_names_key_value_and_rule(key: str, value: object, rule: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(**{key: value})
    assert str(caught.value) == f"{key} = {value!r}: must be {rule}"


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
@pytest.mark.parametrize("key", ["lr", "l2", "plateau_min_lr"])
def test_numbers_are_finite(key: str, value: float) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"{key} = {value!r}: must be")):
        parse(**{key: value})


@pytest.mark.parametrize(
    ("key", "near"),
    [("schedul", "schedule"), ("bach_size", "batch_size"), ("drop_out", "dropout")],
)
def test_unknown_key_names_the_nearest_of_both_configs(key: str, near: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(**{key: 1})
    assert str(caught.value) == f"{key} = 1: unknown key (did you mean {near!r}?)"


def test_unknown_key_that_is_near_nothing_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"xyzzy = 1: unknown key; known: .*batch_norm.*lr"):
        parse(xyzzy=1)


def test_missing_keys_are_named() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_trial({}, Config)
    assert str(caught.value).splitlines() == [
        "architecture: required, but missing",
        "epochs: required, but missing",
    ]


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        parse(lr=-1, schedule="cosin", dropout=2, lernrate=1)
    problems = str(caught.value).splitlines()
    assert sorted(line.split(" =")[0] for line in problems) == [
        "dropout",
        "lernrate",
        "lr",
        "schedule",
    ]


def test_ints_become_floats_and_lists_tuples() -> None:
    trial, own = parse(lr=1, filters=[8, 16])
    assert (trial.lr, type(trial.lr)) == (1.0, float)
    assert own.filters == (8, 16)


def test_an_optional_field_takes_none() -> None:
    trial, _ = parse(step_epochs=None, exponential_gamma=1)
    assert trial.step_epochs is None
    assert trial.exponential_gamma == 1.0


def test_numbered_keys_join_in_the_order_of_their_numbers() -> None:
    _, own = parse(filters_10=4, filters_2=3, filters_1=2)
    assert own.filters == (2, 3, 4)


def test_numbered_entries_of_zero_are_left_out() -> None:
    assert parse(filters_1=8, filters_2=0, filters_3=16)[1].filters == (8, 16)
    assert parse(filters_1=0)[1].filters == ()


def test_whole_and_numbered_are_refused() -> None:
    with pytest.raises(ConfigError, match="filters is given both whole and by numbered keys"):
        parse(filters=[8], filters_1=8)


def test_a_number_after_a_field_that_is_no_tuple_is_unknown() -> None:
    with pytest.raises(ConfigError, match=r"dropout_1 = 0\.5: unknown key"):
        parse(dropout_1=0.5)


def test_defaults_parse_to_the_defaults() -> None:
    flat = default_config("net", Config)
    assert parse_trial({**flat, "epochs": 5}, Config) == parse()


def test_tuples_are_numbered_and_leave_room() -> None:
    flat = number_entries(default_config("net", Config))
    assert [flat[f"filters_{i}"] for i in range(1, 5)] == [32, 64, 0, 0]
    assert "filters" not in flat


@pytest.mark.parametrize(
    ("rule", "inside", "outside"),
    [
        (Range(0, 1), (0, 0.5, 1), (-0.1, 1.1)),
        (Range(0, 1, open_minimum=True), (0.1, 1), (0,)),
        (Range(0, 1, open_maximum=True), (0, 0.9), (1,)),
        (Range(0), (0, 1e9), (-1e-9,)),
    ],
)
def test_range(rule: Range, inside: tuple[float, ...], outside: tuple[float, ...]) -> None:
    assert all(map(rule.admits, inside))
    assert not any(map(rule.admits, outside))


def test_runtime_describes_precision_and_memory_format() -> None:
    assert Runtime(device="cpu").describe() == "fp32"
    fast = Runtime(device="cuda", precision="bf16", channels_last=True)
    assert fast.describe() == "bf16 channels_last"


def test_imports_no_torch() -> None:
    check = "import sys, trainables.config; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True)
