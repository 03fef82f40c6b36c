"""Which parameters mattered, in studies where that is known."""

from typing import Any

import numpy as np
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState

from tune_jobs.engine.results.analysis.importance import (
    ENOUGH,
    LEAST,
    describe_importances,
    rank_parameters,
    rare_parameters,
)

from .trials import study_of, trial_of

NAMES = {
    "lr": FloatDistribution(1e-4, 1e-1, log=True),
    "dropout": FloatDistribution(0, 1),
    "optimizer": CategoricalDistribution(("sgd", "adam")),
}


def make_trials(count: int, *, sign: int = 1) -> list[FrozenTrial]:
    """Trials that `lr` decides, of which the better half reaches the full budget; its range is
    that of the optimizer, and `momentum` is there for SGD alone."""
    random = np.random.default_rng(0)
    trials = []
    for _ in range(count):
        optimizer = str(random.choice(["sgd", "adam"]))
        scale = 10 if optimizer == "sgd" else 1
        place, dropout = random.random(2)
        space: dict[str, BaseDistribution] = {
            **NAMES,
            "lr": FloatDistribution(1e-4 * scale, 1e-1 * scale, log=True),
        }
        params: dict[str, Any] = {
            "lr": 1e-4 * scale * 1000**place,
            "dropout": dropout,
            "optimizer": optimizer,
        }
        if optimizer == "sgd":
            space["momentum"], params["momentum"] = FloatDistribution(0, 1), random.random()
        is_good = place > 0.5
        accuracies = [sign * place] * (3 if is_good else 1)
        state = TrialState.COMPLETE if is_good else TrialState.PRUNED
        trials.append(trial_of(accuracies, state, params, space))
    return trials


def test_what_decides_is_found_though_its_range_depends_on_another() -> None:
    found = rank_parameters(study_of(make_trials(40)))
    assert set(found) == {"lr", "dropout", "optimizer", "momentum"}
    assert next(iter(found)) == "lr"
    assert found["lr"] > 0.8
    assert sum(found.values()) == pytest.approx(1)
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_lower_is_better_where_the_study_minimises() -> None:
    found = rank_parameters(study_of(make_trials(40, sign=-1), "minimize"))
    assert next(iter(found)) == "lr"
    assert found["lr"] > 0.8


def test_trials_that_were_stopped_count() -> None:
    """Those of the full budget alone are too few."""
    trials = make_trials(LEAST)
    assert sum(trial.state == TrialState.COMPLETE for trial in trials) < LEAST
    assert rank_parameters(study_of(trials))


def test_of_too_few_trials_nothing_is_told() -> None:
    failed = [trial_of([], TrialState.FAIL)] * LEAST
    study = study_of([*make_trials(LEAST - 1), *failed])
    assert rank_parameters(study) == {}
    assert describe_importances({}, LEAST - 1) == (
        "too few trials to tell: 15 ended with a score, 16 are needed"
    )


def test_trials_that_came_to_the_same_tell_nothing() -> None:
    trials = [
        trial_of([0.5], TrialState.COMPLETE, {"lr": n / LEAST}, {"lr": FloatDistribution(0, 1)})
        for n in range(LEAST)
    ]
    assert rank_parameters(study_of(trials)) == {}
    assert describe_importances({}, LEAST) == "no trial did better than another"


def test_parameters_that_did_not_vary_have_no_share() -> None:
    trials = [trial_of([n / LEAST], TrialState.COMPLETE, {"lr": 0.5}) for n in range(LEAST)]
    assert rank_parameters(study_of(trials)) == {}


def test_what_few_trials_had_is_left_out() -> None:
    """Of two architectures one was hardly tried: chance alone gives its parameters a share."""
    random = np.random.default_rng(0)
    choice = CategoricalDistribution(("mlp", "cnn"))
    trials = []
    for number in range(LEAST + 6):
        name = "mlp" if number < LEAST else "cnn"
        lr = float(random.random())
        params = {"architecture": name, f"{name}.lr": lr}
        space: dict[str, BaseDistribution] = {"architecture": choice}
        space[f"{name}.lr"] = FloatDistribution(0, 1)
        trials.append(trial_of([lr], TrialState.COMPLETE, params, space))
    study = study_of(trials)
    assert rare_parameters(study) == {"cnn.lr"}
    assert set(rank_parameters(study)) == {"architecture", "mlp.lr"}
    told = "lr 1.00 (a hint, of 22 trials); left out: 1 parameter that fewer than 16 trials had"
    assert describe_importances({"lr": 1.0}, len(trials), 1) == told


def test_the_first_three_are_named() -> None:
    shares = {"lr": 0.625, "l2": 0.2, "dropout": 0.1, "layers": 0.05}
    told = "lr 0.62, l2 0.20, dropout 0.10"
    assert describe_importances(shares, ENOUGH) == told
    assert describe_importances(shares, ENOUGH - 1) == f"{told} (a hint, of 31 trials)"
