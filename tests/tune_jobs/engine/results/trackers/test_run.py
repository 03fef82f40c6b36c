"""A whole run with both trackers, and one that continues it."""

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.tune_jobs.engine.results.trackers import test_mlflow, test_wandb
from tests.tune_jobs.engine.results.trackers.conftest import PATIENCE_SECONDS
from tune_jobs import engine
from tune_jobs.digits_linear import JOB
from tune_jobs.engine.results.trackers import follow

pytestmark = test_mlflow.pytestmark


def run(storage: Path, **options: Any) -> None:
    console = Console(quiet=True)
    engine.run(JOB, console=console, smoke=True, storage=str(storage), run_id="one", **options)


@pytest.mark.usefixtures("one_ray")
def test_every_trial_and_retraining_is_in_both_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("WANDB_DIR", raising=False)
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB__SERVICE_WAIT", str(PATIENCE_SECONDS))
    monkeypatch.setattr(follow, "PATIENCE_SECONDS", PATIENCE_SECONDS)
    monkeypatch.chdir(tmp_path)
    run(tmp_path, log="wandb, mlflow")
    run(tmp_path, log="mlflow,wandb", trials=3)
    assert "warning" not in capsys.readouterr().err

    trained = {path.name for path in (tmp_path / f"runs/{JOB.name}/one/tensorboard").glob("*-0*")}
    assert {"trial-0000", "trial-0001", "trial-0002"} < trained
    in_mlflow = test_mlflow.read(tmp_path, JOB.name)
    in_wandb = test_wandb.read(tmp_path, JOB.name)
    assert set(in_mlflow) == set(in_wandb) == {"one", *trained}
    for name in trained:
        history = test_mlflow.history(tmp_path, in_mlflow[name], "accuracy/val")
        assert history == test_wandb.history(in_wandb[name])
        assert [epoch for epoch, _ in history] == [1]
    kept = in_mlflow["one"].info.artifact_uri.removeprefix("file://")
    assert {path.name for path in Path(kept).iterdir()} == {"one.parquet", "index.html"}
