"""Runs that an earlier version has written: `c302f04/` was made by that commit's own commands."""

import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

import trainables
from tune_jobs.engine.record.recorded_trial import MUST_REPEAT
from tune_jobs.engine.results.leaderboard import read_rows
from tune_jobs.engine.results.publish import rebuild
from tune_jobs.engine.results.row import Row

pytestmark = pytest.mark.usefixtures("on_one_ray")

HERE = Path(__file__).parent
BEGUN = ("--resume", "begun", "--retrain-top", "1", "--retrain-seeds", "2", "--precision", "fp32")
ADDED = """
        Published(
            name="0z", config={"lr": 0.02, "optimizer": "adam", "hidden": (24,)}, accuracy=0.8
        ),
"""
NEW_COLUMNS = {
    *("metric", "val_metric", "search_val_metric", "val_loss"),
    *("test_metric", "test_metric_low", "test_metric_high", "test_metric_std"),
}


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    """A copy, since a resumed run writes into its folder."""
    return Path(shutil.copytree(HERE / "c302f04", tmp_path / "storage"))


def trials_of(storage: Path, run: str) -> list[FrozenTrial]:
    journal = JournalFileBackend(str(storage / "runs" / "network" / run / "study.journal"))
    return optuna.load_study(study_name=f"network/{run}", storage=JournalStorage(journal)).trials


def resume(storage: Path, job: str) -> None:
    """Run a job's text as a user runs a file, whose space is then `__main__.space`."""
    (storage / "job.py").write_text(job)
    process = subprocess.run(
        [sys.executable, "job.py", *BEGUN],
        cwd=storage,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr


def values(row: Row) -> dict[str, object]:
    return {f.name: getattr(row, f.name) for f in fields(row) if f.name not in NEW_COLUMNS}


@pytest.mark.parametrize("job", ["network", "estimator"])
def test_the_rows_are_read_and_rebuilt_as_they_were(storage: Path, job: str) -> None:
    part = storage / "leaderboards" / job / "ended.parquet"
    rows, warnings = read_rows(part)
    assert warnings == []
    assert rows
    part.unlink()
    rebuild(storage / "runs" / job / "ended")
    assert [values(row) for row in read_rows(part).rows] == [values(row) for row in rows]


def test_an_interrupted_run_goes_on(storage: Path) -> None:
    before = trials_of(storage, "begun")
    assert [trial.state for trial in before[4:]] == [TrialState.RUNNING]
    resume(storage, (HERE / "network_job.py").read_text())
    after = trials_of(storage, "begun")
    assert len(after) == 6
    assert all(trial.state.is_finished() for trial in after)
    assert after[4].user_attrs["resumed"] == [{"resumed_from": 3, "corrupt": ""}]
    for was, now in zip(before, after, strict=False):
        assert was.user_attrs.items() <= now.user_attrs.items()
        # The run was begun on another machine, whose arithmetic may round otherwise.
        for name in (name for name in now.user_attrs if name.startswith("repeated_")):
            first, again = now.user_attrs[name.replace("repeated", "epoch")], now.user_attrs[name]
            for metric in MUST_REPEAT:
                assert again[metric] == pytest.approx(first[metric], rel=1e-3)
    rows, _ = read_rows(storage / "leaderboards" / "network" / "begun.parquet")
    claims = {row.system: (row.reported_accuracy, row.reported_metric) for row in rows}
    assert claims == {"1a": (0.9, "val, best"), "1b": (None, "test"), None: (None, None)}


def test_a_report_that_is_added_does_not_take_its_neighbours_name(storage: Path) -> None:
    job = (HERE / "network_job.py").read_text()
    resume(storage, re.sub(r"published=\(\n", f"published=({ADDED}", job))
    rows, _ = read_rows(storage / "leaderboards" / "network" / "begun.parquet")
    found = {row.system: (row.trial_number, row.reported_accuracy, row.assumed) for row in rows}
    assert found["1a"] == (0, 0.9, '["l2", "schedule"]')
    assert found["1b"] == (1, None, "[]")
    added = found["0z"]
    assert added[0] > 4
    assert added[1:] == (0.8, "[]")


@pytest.mark.parametrize(
    "model",
    ["network/ended/models/retrain-0004-seed-1", "estimator/ended/models/retrain-0000-seed-1"],
)
def test_an_exported_model_still_predicts(model: str) -> None:
    loaded = trainables.load_model(HERE / "c302f04" / "runs" / f"{model}.safetensors")
    assert loaded.card.class_names == tuple("0123456789")
    image = (HERE / "digit.png").read_bytes()  # a 3, among those it was tested on or trained on
    [probabilities_K] = loaded.predict([image])
    assert probabilities_K.argmax() == 3
