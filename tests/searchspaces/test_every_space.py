"""Every job's search space against the architecture that it is for."""

import pickle
from typing import Any

import optuna
import pytest
import torch

from searchspaces.joined import joined_names
from trainables.architectures import find_architecture
from trainables.config import number_entries, parse_estimator, parse_trial
from trainables.estimators import find_estimator
from trainables.registry import default_of, is_estimator
from tune_jobs.engine.cli.commands import catalogue
from tune_jobs.engine.job import Job
from tune_jobs.engine.search.space import Proposal

SIZE = (64, 64)  # large enough for every architecture

every_job = pytest.mark.parametrize("job", catalogue(), ids=lambda job: job.name)


def suggest(job: Job, trial: optuna.trial.BaseTrial) -> dict[str, Any]:
    constants = job.space(trial) or {}  # type: ignore[arg-type]
    given = Proposal(params=trial.params, constants=constants).flat
    return {"architecture": job.architecture, **given, "epochs": job.epochs}


def fixed(meant: dict[str, Any]) -> optuna.trial.FixedTrial:
    """A trial with these values, by the names of any space."""
    numbered = number_entries(meant)
    return optuna.trial.FixedTrial({**numbered, **joined_names(numbered)})


def parse(flat: dict[str, Any]) -> tuple[Any, Any]:
    name = flat["architecture"]
    if is_estimator(name):
        return parse_estimator(flat, find_estimator(name).Config)
    return parse_trial(flat, find_architecture(name).Config)


def first(job: Job) -> list[dict[str, Any]]:
    """The published configurations, or the defaults, complete."""
    configs = [published.config for published in job.published]
    configs = configs or [{"architecture": name} for name in job.architectures]
    return [
        {**default_of(c.get("architecture", job.architecture), job.epochs), **c} for c in configs
    ]


@every_job
def test_samples_parse_and_build(job: Job) -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(20):
        flat = suggest(job, study.ask())
        _, own = parse(flat)
        name = flat["architecture"]
        if is_estimator(name):
            find_estimator(name).build(own, num_images=100, num_features=10, fraction=1.0, seed=0)
        else:
            with torch.device("meta"):  # shapes alone
                find_architecture(name).build(own, in_channels=1, image_size=SIZE, num_classes=2)


@every_job
def test_first_configurations_replay(job: Job) -> None:
    for meant in first(job):
        suggested = suggest(job, fixed(meant))
        if not job.published:
            fixed_names = ("features", "normalisation", "max_image_size")
            meant |= {name: suggested[name] for name in fixed_names if name in suggested}
        assert parse(suggested) == parse(meant)


@every_job
def test_a_configuration_out_of_the_space_does_not_replay(job: Job) -> None:
    meant = number_entries(first(job)[0])
    for name, value in suggest(job, fixed(meant)).items():
        if type(value) in (int, float) and name in meant and name != "epochs":
            with pytest.warns(UserWarning, match=f"{name}.*out of the range"):
                suggest(job, fixed({**meant, name: type(value)(10**9)}))
            return
    pytest.fail("the space has no number")


@every_job
def test_space_pickles_by_name(job: Job) -> None:
    assert pickle.loads(pickle.dumps(job.space)) == job.space
