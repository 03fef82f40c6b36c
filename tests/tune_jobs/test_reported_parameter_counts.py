"""Where a report names a number of parameters, its configuration has it to the last digit."""

import importlib

import pytest

from trainables.architectures import find_architecture
from trainables.config import complete_config, parse_trial
from trainables.image_ops.geometry import cropped_size
from trainables.registry import default_of


@pytest.mark.parametrize(
    ("job_name", "system", "reported"),
    [
        ("stl10_mlp", "11", 2_484_160),
        ("stl10_cnn", "12", 1_272_372),
        ("mnist_cnn", "19", 813_802),
        ("cifar10_alexnet", "20", 6_199_498),
    ],
)
def test_reported_count(job_name: str, system: str, reported: int) -> None:
    job = importlib.import_module(f"tune_jobs.{job_name}").JOB
    [published] = [p for p in job.published if p.name == system]
    default = default_of(job.architecture, job.epochs)
    trial, config = parse_trial(
        complete_config(default, published.config), find_architecture(job.architecture).Config
    )
    model = find_architecture(job.architecture).build(
        config,
        in_channels=job.shape[2],
        image_size=cropped_size((job.image_size, job.image_size), trial.crop_fraction),
        num_classes=job.num_classes,
    )
    assert sum(parameter.numel() for parameter in model.parameters()) == reported
