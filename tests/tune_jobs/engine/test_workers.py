"""One trial on two processes: what one process would have found."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import optuna
import pytest
import torch
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from tune_jobs.engine.record.recorded_trial import RecordedTrial
from tune_jobs.engine.reproduce import find_row
from tune_jobs.engine.results.leaderboard import read_rows

pytestmark = pytest.mark.usefixtures("on_one_ray")

JOB = """
from tune_jobs.engine import Job, Published, main

CONFIG = {"hidden": (64, 32), "batch_norm": False, "optimizer": "sgd", "batch_size": 49}


def space(trial):
    trial.suggest_float("lr", 1e-3, 1e-1, log=True)
    return CONFIG


JOB = Job(
    name="two",
    dataset="digits",
    architecture="mlp",
    space=space,
    trials=1,
    epochs=6,
    published=(Published(name="1", config={**CONFIG, "lr": 0.05}),),
)

if __name__ == "__main__":
    main(JOB)
"""

ESTIMATOR_JOB = """
from trainables.features import Pixels
from tune_jobs.engine import Job, main


def space(trial):
    trial.suggest_int("k", 1, 5)


JOB = Job(
    name="neighbours",
    dataset="digits",
    architecture="knn",
    space=space,
    trials=1,
    epochs=2,
    features=Pixels(),
)

if __name__ == "__main__":
    main(JOB)
"""


ON_TWO_GPUS = """
import ray
from job import JOB
from tune_jobs import engine
from tune_jobs.engine.errors import RequestError

ray.init(address="local", num_cpus=2, num_gpus=2, include_dashboard=False, log_to_driver=False)
try:
    engine.run(JOB, gpus_per_trial="auto")
except RequestError as error:
    print(error)
engine.run(JOB, gpus_per_trial=2, run_id="gpus", retrain_seeds=1, epochs=2, precision="fp32")
"""


def run(folder: Path, job: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    (folder / "job.py").write_text(job)
    return subprocess.run(
        [sys.executable, "job.py", "--run-id", "run", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def figures_of(folder: Path, suffix: str = "") -> list[dict[str, Any]]:
    journal = str(folder / "runs" / "two" / "run" / "study.journal")
    storage = JournalStorage(JournalFileBackend(journal))
    [trial] = optuna.load_study(study_name=f"two/run{suffix}", storage=storage).trials
    return [metrics.to_json() for metrics in RecordedTrial(trial).epochs.values()]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """By number of workers. The last batches have an odd number of images."""
    found = {}
    for workers in (1, 2):
        found[workers] = tmp_path_factory.mktemp(f"workers-{workers}")
        options = (
            "--retrain-seeds",
            "1",
            "--precision",
            "fp32",
            "--workers-per-trial",
            str(workers),
        )
        done = run(found[workers], JOB, *options, *(["--gpus-per-trial", "auto"] * (workers == 1)))
        assert done.returncode == 0, done.stdout + done.stderr
    return found


@pytest.mark.parametrize("study", ["", "/retrain"])
def test_the_figures_are_those_of_one_worker(folders: dict[int, Path], study: str) -> None:
    alone, together = figures_of(folders[1], study), figures_of(folders[2], study)
    assert len(alone) == len(together) == 6
    for name in ("train_loss", "val_loss", "train_accuracy", "val_accuracy", "lr"):
        assert together[0][name] == pytest.approx(alone[0][name], rel=1e-5), name
    assert together[-1]["val_accuracy"] == pytest.approx(alone[-1]["val_accuracy"], abs=0.02)
    assert together[-1]["val_accuracy"] > 0.9


def test_the_row_says_how_many_there_were(folders: dict[int, Path]) -> None:
    for workers, folder in folders.items():
        [row] = read_rows(folder).rows
        assert row.num_workers == workers
        assert row.train_cpu_seconds == pytest.approx(workers * row.train_seconds)


def test_the_row_is_reproduced_to_the_bit(folders: dict[int, Path]) -> None:
    row = find_row("run:0", folders[2])
    done = subprocess.run(
        [sys.executable, "-m", "tune_jobs", "leaderboard", "reproduce", f"{row.run_id}:0"],
        cwd=folders[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "agrees to the bit" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0


def test_an_estimator_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path, ESTIMATOR_JOB, "--workers-per-trial", "2")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "--workers-per-trial = 2: an estimator (knn) is fitted by one process" in done.stderr


def test_a_trial_that_this_machine_never_holds_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_ADDRESS")  # a cluster may grow
    done = run(tmp_path, JOB, "--workers-per-trial", "3", "--cpus-per-trial", "1000")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "a trial takes 3000 CPUs, and there are" in done.stderr


@pytest.mark.skipif(torch.cuda.is_available(), reason="for machines without a GPU")
def test_a_worker_for_each_gpu(tmp_path: Path) -> None:
    """Ray is told that there are two; torch, which finds none, trains on the CPU."""
    (tmp_path / "job.py").write_text(JOB)
    done = subprocess.run(
        [sys.executable, "-c", ON_TWO_GPUS],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "torch finds no GPU where Ray has one; give a number" in done.stdout
    facts = json.loads((tmp_path / "runs" / "two" / "gpus" / "run.json").read_text())
    assert facts["resources"] == {"cpus": 1.0, "gpus": 1.0, "workers": 2, "max_parallel": None}
    [row] = read_rows(tmp_path).rows
    assert row.num_workers == 2
    assert row.train_gpu_seconds == pytest.approx(2 * row.train_seconds)
