"""Every job file: named as its module, and its first configurations replay through its space."""

import importlib
import warnings
from pathlib import Path

import pytest

import tune_jobs
from trainables.architectures import find_architecture
from trainables.config import complete_config, default_config, parse_trial
from tune_jobs.engine.search.study import replay
from tune_jobs.engine.steps import first_configurations

NAMES = sorted(p.stem for p in Path(tune_jobs.__file__).parent.glob("[!_]*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_a_job_is_named_as_its_module(name: str) -> None:
    assert importlib.import_module(f"tune_jobs.{name}").JOB.name == name


@pytest.mark.parametrize("name", NAMES)
def test_first_configurations_replay_exactly_through_the_jobs_own_space(name: str) -> None:
    job = importlib.import_module(f"tune_jobs.{name}").JOB
    architecture = find_architecture(job.architecture)
    default = {**default_config(job.architecture, architecture.Config), "epochs": job.epochs}
    meant = [{**default, **published.config} for published in job.published] or [default]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for (config, origin), whole in zip(first_configurations(job, default), meant, strict=True):
            params, constants = replay(job.space, config)
            trial = {**params, **constants, "epochs": job.epochs}
            assert complete_config(default, trial) == whole
            parse_trial(complete_config(default, trial), architecture.Config)
            assert origin == ("published" if job.published else "default")
