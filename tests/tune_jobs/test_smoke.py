"""Every job takes all its steps: in one process, on one Ray, on images made up for it."""

from pathlib import Path

import numpy as np
import optuna
import pytest
import torch
from rich.console import Console

import trainables
from tune_jobs import engine
from tune_jobs.engine.cli.commands import catalogue
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job import Job

pytestmark = pytest.mark.usefixtures("one_ray")


@pytest.mark.parametrize("job", catalogue(), ids=lambda job: job.name)
def test_smoke(job: Job, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = engine.run(
        job,
        console=Console(quiet=True),
        smoke=True,
        max_parallel=1,  # a second process takes longer to start than it saves
        storage=tmp_path,
        data_dir=tmp_path,
    )
    assert {row.origin for row in result.rows} >= {"published" if job.published else "default"}
    assert all(row.test_accuracy is not None for row in result.rows if row.winner)
    assert result.model is not None
    model = trainables.load_model(result.model)
    height, width = model.card.image_size
    images_NHWC = np.random.default_rng(0).integers(0, 256, (2, height, width, job.shape[2]))
    with torch.inference_mode():
        probabilities_NK = model(torch.tensor(images_NHWC, dtype=torch.uint8))
    assert probabilities_NK.shape == (2, job.num_classes)
    torch.testing.assert_close(probabilities_NK.sum(dim=1), torch.ones(2))


def breaking_space(trial: optuna.Trial) -> None:
    trial.suggest_categorical("dropout", (0.0, 1.5))


def test_a_space_that_breaks_a_rule_is_refused_before_any_trial(tmp_path: Path) -> None:
    job = Job(
        name="breaking",
        dataset="digits",
        architecture="mlp",
        space=breaking_space,
        trials=6,
        epochs=1,
    )
    with pytest.raises(RequestError, match=r"dropout = 1.5: must be in \[0, 1\) \(\d+ of 32"):
        engine.run(job, console=Console(quiet=True), storage=tmp_path, data_dir=tmp_path)
    assert not list(tmp_path.rglob("study.journal"))
