"""What a space must give before a search begins."""

from typing import TYPE_CHECKING, Any

import pytest

from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.search.space import check_names, check_space, replay

if TYPE_CHECKING:
    from optuna import Trial

DEFAULTS: dict[str, dict[str, Any]] = {
    "cnn": {"lr": 1e-3, "batch_size": 128, "filters": (32, 64)},
    "knn": {"k": 5},
}


def space(trial: "Trial") -> dict[str, str]:
    trial.suggest_categorical("batch_size", (32, 64))
    trial.suggest_categorical("filters_3", (0, 128))
    return {"optimizer": "sgd"}


def misspelt(trial: "Trial") -> None:
    trial.suggest_float("lr", 0.0, 1.0)
    trial.suggest_int("filters_1", 8, 32)
    trial.suggest_int("kk", 1, 9)
    trial.suggest_int("batchsize", 1, 9)


def test_names_of_every_architecture_are_known() -> None:
    check_names(check_space(space), DEFAULTS)


def test_every_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(RequestError) as error:
        check_names(check_space(misspelt), DEFAULTS)
    assert str(error.value) == (
        "space: it suggests what cnn or knn does not have: "
        "'batchsize' (did you mean 'batch_size'?), 'kk' (did you mean 'k'?)"
    )


def test_a_configuration_is_parameters_and_constants() -> None:
    config = {"batch_size": 32, "filters_3": 0, "lr": 0.1}
    assert replay(space, config) == ({"batch_size": 32, "filters_3": 0}, {"optimizer": "sgd"})


def test_a_value_that_is_none_of_the_choices_is_told_with_them() -> None:
    with pytest.raises(RequestError) as error:
        replay(space, {"batch_size": 128, "filters_3": 0})
    assert "test_space.space: it cannot give a configuration that is tried first: " in str(
        error.value
    )
    assert "batch_size = 128: must be one of 32, 64: widen it" in str(error.value)


def test_a_name_that_the_configuration_lacks_is_told() -> None:
    with pytest.raises(RequestError, match="'filters_3' is not found"):
        replay(space, {"batch_size": 32})
