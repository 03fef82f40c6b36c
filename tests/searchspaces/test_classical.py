"""The estimators' spaces against the estimators' own knobs."""

from collections.abc import Callable
from typing import Any

import optuna
import pytest

from searchspaces.classical import ESTIMATORS, knn_space, space, svm_space
from trainables.config import EstimatorConfig
from trainables.config.validation import check_fields
from trainables.estimators import find_estimator

Space = Callable[[Any], None]

SPACES = [(space, "svm"), (svm_space, "svm"), (knn_space, "knn")]


def fixed(params: dict[str, Any]) -> Any:
    """Plays a trial; it is none by type."""
    return optuna.trial.FixedTrial(params)


def defaults_of(architecture: str) -> dict[str, Any]:
    config_type = find_estimator(architecture).Config
    own = config_type()
    names = config_type.__dataclass_fields__
    return {"architecture": architecture, **{name: getattr(own, name) for name in names}}


def problems(params: dict[str, Any], architecture: str) -> list[str]:
    """What the estimator does not accept of a trial's parameters."""
    flat = {"architecture": architecture, "epochs": 4, **params}
    general = {"architecture", "epochs", "num_features"}
    own = {key: value for key, value in flat.items() if key not in general}
    config_type = find_estimator(flat["architecture"]).Config
    _, wrong = check_fields(
        EstimatorConfig, {key: value for key, value in flat.items() if key in general}
    )
    _, own_wrong = check_fields(config_type, own)
    unknown = set(own) - set(config_type.__dataclass_fields__)
    return [*wrong, *own_wrong, *sorted(unknown)]


@pytest.mark.parametrize(("suggest", "architecture"), SPACES)
def test_samples_are_what_the_estimators_take(suggest: Space, architecture: str) -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(60):
        trial = study.ask()
        suggest(trial)
        assert problems(trial.params, architecture) == []


@pytest.mark.parametrize("architecture", ESTIMATORS)
def test_every_estimators_default_replays(architecture: str) -> None:
    """Row 6 of the reported systems: each of them on 58 features."""
    defaults = defaults_of(architecture)
    trial = fixed({**defaults, "num_features": 58})
    space(trial)
    assert trial.params["architecture"] == architecture
    assert set(trial.params) - {"architecture", "num_features"} <= set(defaults)


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_reported_machines_on_frozen_features_replay(kernel: str) -> None:
    svm_space(fixed({**defaults_of("svm"), "kernel": kernel}))


@pytest.mark.parametrize("k", [3, 5, 6, 9, 11])
@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
def test_reported_neighbours_replay(k: int, metric: str) -> None:
    trial = fixed({"k": k, "metric": metric, "weights": "uniform"})
    knn_space(trial)
    assert problems(trial.params, "knn") == []
