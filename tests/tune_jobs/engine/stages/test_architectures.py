"""Weights that a job's trials can start from, and others."""

from dataclasses import replace
from pathlib import Path

import pytest
from optuna.storages import InMemoryStorage

from tests.tune_jobs.engine.parts import make_info
from trainables.storage import LocalStorage
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job_checks import check_job
from tune_jobs.engine.options import Options
from tune_jobs.engine.run_state.folder import RunFolder
from tune_jobs.engine.stages.architectures import load_weights
from tune_jobs.engine.stages.plan import RunRequest
from tune_jobs.fashion_features_mlp import JOB


def test_weights_are_refused_where_trials_train_on_features_of_pixels(tmp_path: Path) -> None:
    """They were loaded, recorded and not used; an earlier run goes on as it began."""
    request = RunRequest(
        job=JOB,
        options=Options.resolve(JOB, weights=str(tmp_path / "model.pt")),
        folder=RunFolder(LocalStorage(tmp_path), tmp_path),
        studies=InMemoryStorage(),
        checked=check_job(JOB, 1, None),
    )
    with pytest.raises(RequestError, match=r"model\.pt': .* train on features \(hog\), and none"):
        load_weights(request)
    with pytest.raises(RequestError, match=r"model\.pt': there is no such file"):
        load_weights(replace(request, earlier=make_info()))
