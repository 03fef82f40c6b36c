"""Every job file: named as its module, and its first configurations replay through its space."""

import importlib
import warnings
from pathlib import Path

import pytest

import tune_jobs
from trainables.architectures import find_architecture
from trainables.config import default_config, parse_trial
from tune_jobs.engine.search.study import replay
from tune_jobs.engine.steps import first_configurations

NAMES = sorted(p.stem for p in Path(tune_jobs.__file__).parent.glob("[!_]*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_job(name: str) -> None:
    job = importlib.import_module(f"tune_jobs.{name}").JOB
    assert job.name == name
    architecture = find_architecture(job.architecture)
    default = {**default_config(job.architecture, architecture.Config), "epochs": job.epochs}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for config, origin in first_configurations(job, default):
            params, complete = replay(job.space, config)
            fixed = {"architecture": job.architecture, "epochs": job.epochs}
            trial, _ = parse_trial({**params, **fixed}, architecture.Config)
            assert trial.epochs == job.epochs
            assert complete.items() >= params.items()
            assert origin == ("published" if job.published else "default")
