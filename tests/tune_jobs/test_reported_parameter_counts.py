"""Where a report names a number of parameters, its configuration has it to the last digit."""

import importlib

import pytest

from trainables.architectures import find_architecture
from trainables.config import complete_config, default_config, parse_trial


@pytest.mark.parametrize(
    ("job_name", "system", "in_channels", "reported"),
    [
        ("stl10_mlp", "11", 3, 2_484_160),
        ("stl10_cnn", "12", 3, 1_272_372),
        ("mnist_cnn", "19", 1, 813_802),
        ("cifar10_alexnet", "20", 3, 6_199_498),
    ],
)
def test_reported_count(job_name: str, system: str, in_channels: int, reported: int) -> None:
    job = importlib.import_module(f"tune_jobs.{job_name}").JOB
    [published] = [p for p in job.published if p.name == system]
    architecture = find_architecture(job.architecture)
    default = {**default_config(job.architecture, architecture.Config), "epochs": job.epochs}
    _, config = parse_trial(complete_config(default, published.config), architecture.Config)
    model = architecture.build(
        config,
        in_channels=in_channels,
        image_size=(job.image_size, job.image_size),
        num_classes=10,
    )
    assert sum(parameter.numel() for parameter in model.parameters()) == reported
