"""Every job's search space against the architecture that it is for."""

import pickle
from typing import Any

import optuna
import pytest
import torch

from trainables.architectures import find_architecture
from trainables.config import default_config, number_entries, parse_trial
from tune_jobs.engine.cli.commands import catalogue
from tune_jobs.engine.job import Job

SIZE = (32, 32)  # large enough for every architecture

every_job = pytest.mark.parametrize("job", catalogue(), ids=lambda job: job.name)


def defaults(job: Job) -> dict[str, Any]:
    config_type = find_architecture(job.architecture).Config
    return {**default_config(job.architecture, config_type), "epochs": job.epochs}


def suggest(job: Job, trial: optuna.trial.BaseTrial) -> dict[str, Any]:
    constants = job.space(trial) or {}  # type: ignore[arg-type]
    return {
        "architecture": job.architecture,
        "epochs": job.epochs,
        **trial.params,
        **constants,
    }


@every_job
def test_samples_parse(job: Job) -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    architecture = find_architecture(job.architecture)
    for _ in range(20):
        flat = suggest(job, study.ask())
        trial_config, own = parse_trial(flat, architecture.Config)
        assert trial_config.lr == flat["lr"]
        with torch.device("meta"):  # shapes alone
            architecture.build(own, in_channels=1, image_size=SIZE, num_classes=2)


@every_job
def test_first_configurations_replay(job: Job) -> None:
    for given in [published.config for published in job.published] or [{}]:
        meant = {**defaults(job), **given}
        suggested = suggest(job, optuna.trial.FixedTrial(number_entries(meant)))
        config_type = find_architecture(job.architecture).Config
        assert parse_trial(suggested, config_type) == parse_trial(meant, config_type)


@every_job
def test_a_configuration_out_of_the_space_does_not_replay(job: Job) -> None:
    given = job.published[0].config if job.published else {}
    config = number_entries({**defaults(job), **given, "lr": 1e3})
    with pytest.warns(UserWarning, match="lr.*out of the range"):
        suggest(job, optuna.trial.FixedTrial(config))


@every_job
def test_space_pickles_by_name(job: Job) -> None:
    assert pickle.loads(pickle.dumps(job.space)) is job.space
