"""What a space suggests and returns, and the configuration of it that is nearest to a given one."""

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from searchspaces.joined import JoinedSpace
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.search.nearest_value import describe, nearest_value
from tune_jobs.engine.search.space import SAMPLES, replay, sample_space

if TYPE_CHECKING:
    from optuna import Trial


def space(trial: "Trial") -> dict[str, str]:
    trial.suggest_categorical("batch_size", (32, 64))
    trial.suggest_categorical("filters_3", (0, 128))
    return {"optimizer": "sgd"}


def conditional(trial: "Trial") -> None:
    if trial.suggest_categorical("optimizer", ("sgd", "adam")) == "sgd":
        trial.suggest_float("momentum", 0.0, 0.9)


def returns_pairs(trial: "Trial") -> Any:
    return [("optimizer", "sgd")]


def rarely_fails(trial: "Trial") -> None:
    if trial.suggest_float("lr", 0.0, 1.0) > 0.95:
        raise ZeroDivisionError("a rare draw")


def often_fails(trial: "Trial") -> None:
    if trial.suggest_float("lr", 0.0, 1.0) > 0.75:
        raise ZeroDivisionError("a common draw")


def suggests_tuples(trial: "Trial") -> None:
    trial.suggest_categorical("filters", ((16, 32), (32, 64)))  # type: ignore[arg-type]


def suggests_numpy(trial: "Trial") -> None:
    trial.suggest_categorical("width", np.arange(16, 65, 16))  # type: ignore[call-overload]


class Callable:
    def __call__(self, trial: "Trial") -> None: ...


def test_a_sample_has_the_names_of_every_branch_and_the_constants() -> None:
    assert sample_space(conditional).distributions.keys() == {"optimizer", "momentum"}
    sample = sample_space(space)
    assert sample.constants == {"optimizer": "sgd"}
    assert len(sample.proposals) == SAMPLES
    assert not sample.failures


@pytest.mark.parametrize("given", [partial(space), Callable(), lambda trial: None, Callable])
def test_a_space_that_has_no_name_in_a_module_is_refused(given: Any) -> None:
    with pytest.raises(
        RequestError, match=r"^space = .*: must be a function at the top of a modul"
    ):
        sample_space(given)


def test_constants_that_are_no_mapping_are_refused() -> None:
    with pytest.raises(RequestError, match=r"returns_pairs: .* must be a dict of what is fixed"):
        sample_space(returns_pairs)


def test_a_space_that_fails_rarely_is_told_and_one_that_fails_often_refused() -> None:
    sample = sample_space(rarely_fails)
    assert sample.failures[0] == "ZeroDivisionError('a rare draw')"
    assert len(sample.proposals) + len(sample.failures) == SAMPLES
    with pytest.raises(RequestError, match=r"fails for [0-9]+ of 32 samples: .*a common draw"):
        sample_space(often_fails)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (suggests_tuples, r"filters: the choice \(16, 32\) is of type tuple: .*`filters_1`"),
        (suggests_numpy, r"width: the choice np.int64\(16\) is of type int64: .*tolist"),
    ],
)
def test_choices_that_the_record_cannot_hold_are_refused(given: Any, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        sample_space(given)


def test_a_configuration_is_parameters_and_constants() -> None:
    found = replay(space, {"batch_size": 32, "filters_3": 0, "lr": 0.1})
    assert found.params == {"batch_size": 32, "filters_3": 0}
    assert found.constants == {"optimizer": "sgd"}
    assert not found.moved


def test_a_value_that_the_space_does_not_hold_becomes_the_nearest() -> None:
    found = replay(space, {"batch_size": 128, "filters_3": 0})
    assert found.params == {"batch_size": 64, "filters_3": 0}
    assert {name: describe(held) for name, held in found.moved.items()} == {
        "batch_size": "one of 32, 64"
    }


def test_every_architecture_of_a_joined_space_is_sampled_and_replayed() -> None:
    joined = JoinedSpace({"small": space, "my_package.net": conditional})
    sample = sample_space(joined)
    assert sample.num_samples == 2 * SAMPLES
    assert sample.distributions.keys() == {
        *("architecture", "small.batch_size", "small.filters_3"),
        *("my_package.net.optimizer", "my_package.net.momentum"),
    }
    drawn = [proposal.flat["architecture"] for proposal in sample.proposals]
    assert drawn == ["small", "my_package.net"] * SAMPLES
    found = replay(joined, {"architecture": "small", "batch_size": 128, "filters_3": 0})
    params = {"architecture": "small", "small.batch_size": 64, "small.filters_3": 0}
    assert found.params == params
    assert found.moved.keys() == {"batch_size"}
    flat = {"architecture": "small", "batch_size": 64, "filters_3": 0, "optimizer": "sgd"}
    assert found.flat == flat
    defaults = {"small": {"architecture": "small", "filters": (8,), "epochs": 2}}
    expected = {**flat, "filters": (), "epochs": 2}
    del expected["filters_3"]
    assert found.configuration("small", defaults) == expected


def test_a_joined_space_has_functions_by_name_alone() -> None:
    with pytest.raises(RequestError, match=r"^space = .*<lambda>: must be a function"):
        sample_space(JoinedSpace({"small": space, "other": lambda trial: None}))


def test_a_name_that_the_configuration_lacks_is_told() -> None:
    with pytest.raises(RequestError, match="'filters_3' is not found"):
        replay(space, {"batch_size": 32})


@pytest.mark.parametrize(
    ("distribution", "value", "found"),
    [
        (FloatDistribution(1e-6, 1e-2, log=True), 0.0, 1e-6),
        (FloatDistribution(1e-6, 1e-2, log=True), None, 1e-4),
        (FloatDistribution(0.0, 1.0), 0.25, 0.25),
        (FloatDistribution(0.0, 1.0), 3, 1.0),
        (FloatDistribution(0.0, 1.0, step=0.1), 0.3, 0.3),
        (FloatDistribution(0.0, 1.0, step=0.25), 0.3, 0.25),
        (IntDistribution(1, 3), None, 2),
        (IntDistribution(16, 64, log=True), 128, 64),
        (IntDistribution(16, 64, step=16), 40.1, 48),
        (CategoricalDistribution((16, 32)), 128, 32),
        (CategoricalDistribution(("sgd", "adamw")), "adam", "sgd"),
        (CategoricalDistribution((None, 3, 5)), None, None),
        (CategoricalDistribution((3, None)), "cosine", 3),
    ],
)
def test_the_nearest_value_is_one_that_the_distribution_holds(
    distribution: BaseDistribution, value: object, found: object
) -> None:
    nearest = nearest_value(distribution, value)
    assert nearest == pytest.approx(found) if isinstance(found, float) else nearest == found
    assert distribution._contains(distribution.to_internal_repr(nearest))
