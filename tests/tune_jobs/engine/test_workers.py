"""One trial on two processes: what one process would have found."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from tune_jobs.engine.reproduce import find_row
from tune_jobs.engine.results.leaderboard import read_rows
from tune_jobs.engine.search.study import reports_of

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
    trial.suggest_int("num_neighbours", 1, 5)


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
    return list(reports_of(trial).values())


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """By number of workers. The last batches have an odd number of images."""
    found = {}
    for workers in (1, 2):
        found[workers] = tmp_path_factory.mktemp(f"workers-{workers}")
        options = ("--retrain-seeds", "1", "--precision", "fp32")
        done = run(found[workers], JOB, *options, "--workers-per-trial", str(workers))
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
