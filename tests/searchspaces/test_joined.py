"""Several spaces as one: each keeps its names, and sees no others."""

import pickle
from dataclasses import replace
from typing import TYPE_CHECKING

import optuna
from optuna.distributions import CategoricalDistribution
from optuna.trial import FixedTrial

from searchspaces.joined import JoinedSpace, joined_names, plain_name

if TYPE_CHECKING:
    from optuna import Trial


def small(trial: "Trial") -> dict[str, float]:
    trial.suggest_float("lr", 1e-3, 1e-1, log=True)
    return {"dropout": 0.1}


def large(trial: "Trial") -> None:
    trial.suggest_float("lr", 1e-5, 1e-3, log=True)
    if trial.suggest_categorical("schedule", ("constant", "step")) == "step":
        assert trial.params["schedule"] == "step"
        trial.suggest_int("step_epochs", 1, 9)
    assert "architecture" not in trial.params
    trial.set_user_attr("seen", trial.number)


SPACE = JoinedSpace({"small": small, "my_package.large": large})


def test_each_space_keeps_its_names_and_reads_its_own() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    seen = set()
    for _ in range(30):
        trial = study.ask()
        constants = SPACE(trial)
        architecture = trial.params["architecture"]
        seen.add((architecture, *sorted(trial.params.keys() - {"architecture"})))
        assert constants == ({"dropout": 0.1} if architecture == "small" else {})
        if architecture != "small":
            assert trial.user_attrs["seen"] == trial.number
    large_names = ("my_package.large.lr", "my_package.large.schedule")
    assert seen == {
        ("small", "small.lr"),
        ("my_package.large", *large_names),
        ("my_package.large", *large_names, "my_package.large.step_epochs"),
    }


def test_names_are_spelt_as_the_space_does_and_back() -> None:
    config = {"architecture": "my_package.large", "lr": 1e-4, "schedule": "constant"}
    trial = FixedTrial({**config, **joined_names(config)})
    SPACE(trial)  # type: ignore[arg-type]
    assert {plain_name(name): value for name, value in trial.params.items()} == config


def test_some_of_its_architectures_in_its_own_order() -> None:
    joined = JoinedSpace({"a": small, "b": large, "c": small})
    assert joined.choosing(["c", "a"]) == JoinedSpace({"a": small, "c": small})
    assert list(joined.choosing(["c", "a"]).spaces) == ["a", "c"]


def test_it_pickles_by_the_names_of_its_parts() -> None:
    assert pickle.loads(pickle.dumps(SPACE)) == SPACE


def test_a_joined_space_fixes_sizes_and_has_weights_of_classes_chosen_where_it_is_told_to() -> None:
    space = replace(SPACE, max_image_sizes={"small": 32}, weighing=("small",))
    trial = optuna.create_study().ask({"architecture": CategoricalDistribution(("small",))})
    assert space.choosing(["small"])(trial) == {"dropout": 0.1, "max_image_size": 32}
    chosen = trial.distributions["small.class_weights"]
    assert chosen == CategoricalDistribution(("none", "balanced"))
