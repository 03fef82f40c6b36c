"""One run whose trials diverge, fail, die, hang and do not fit in memory: each ends as it should,
and the run goes on."""

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import FrozenTrial, TrialState

from tests.faults.runs import Runs, end_of, pid_of
from tune_jobs.engine.record.recorded_trial import RecordedTrial
from tune_jobs.engine.results.leaderboard import read_rows

EPOCHS = 6

RUNGS = ("--grace-period", "1", "--reduction-factor", "2", "--brackets", "40")
"""Checkpoints after epochs 1, 2 and 4; no trial is stopped, being the only one of its bracket."""

AT_ONCE = ("--max-parallel", "3", "--cpus-per-trial", "0.3")
"""The others go on while some hang."""

FAULTS: dict[str, dict[str, Any]] = {
    "hangs": {"fault": "hang", "at_epoch": 4},
    "hangs once": {"fault": "hang", "at_epoch": 4, "times": 1},
    "NaN": {"fault": "nan", "at_epoch": 3},
    "lr": {"lr": 1e6, "optimizer": "sgd"},
    "raises": {"fault": "raise", "at_epoch": 2},
    "dies once": {"fault": "die", "at_epoch": 4, "times": 1},
    "dies": {"fault": "die", "at_epoch": 4},
    "fits in parts": {"fault": "out of memory", "at_epoch": 2, "largest_batch": 40},
    "never fits": {"fault": "out of memory", "at_epoch": 2, "largest_batch": 0},
    "dies writing": {
        **{"fault": "die while writing", "at_epoch": 2, "times": 1, "padding": 500_000}
    },
}
NUMBERS = {name: number for number, name in enumerate(FAULTS, start=1)}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, data: Path, address: str) -> Runs:
    faults = {}
    for name, number in NUMBERS.items():
        folder = tmp_path_factory.mktemp("marks")
        faults[str(number)] = {"folder": str(folder), **FAULTS[name]}
    storage = tmp_path_factory.mktemp("misbehaving")
    runs = Runs(storage=storage, data=data, address=address, faults=faults)
    arguments = ("--trials", str(1 + len(FAULTS)), "--epochs", str(EPOCHS), "--max-failures", "1")
    runs.run(*arguments, *RUNGS, *AT_ONCE, "--trial-timeout", "60s")
    return runs


@pytest.fixture
def trial(runs: Runs) -> Callable[[str], FrozenTrial]:
    trials = runs.trials()
    return lambda name: trials[NUMBERS[name]]


def test_one_that_diverges_is_stopped_within_the_epoch(trial: Callable[..., FrozenTrial]) -> None:
    assert list(trial("NaN").intermediate_values) == [1, 2]
    for name in ("NaN", "lr"):
        diverged = trial(name)
        assert (diverged.state, end_of(diverged)) == (TrialState.PRUNED, "diverged")
        *finite, last = RecordedTrial(diverged).epochs.values()
        assert last.diverged
        assert len(finite) == len(diverged.intermediate_values) < EPOCHS
        assert not any(metrics.diverged for metrics in finite)


def test_one_that_raises_fails_with_its_cause(trial: Callable[..., FrozenTrial]) -> None:
    assert trial("raises").state == TrialState.FAIL
    assert end_of(trial("raises")) == "RuntimeError: made up: it fails"


@pytest.mark.parametrize(
    ("name", "checkpoint"),
    [("dies once", 2), ("hangs once", 2), ("dies writing", 1)],
)
def test_one_whose_process_ends_goes_on_from_its_checkpoint(
    runs: Runs, trial: Callable[..., FrozenTrial], name: str, checkpoint: int
) -> None:
    assert trial(name).state == TrialState.COMPLETE
    assert trial(name).user_attrs["resumed"] == [{"resumed_from": checkpoint, "corrupt": ""}]
    assert len(runs.marks(NUMBERS[name], "fault-*")) == 1
    assert not [key for key in trial(name).user_attrs if key.startswith("repeated")]


def test_one_that_dies_too_often_fails_with_its_cause(
    runs: Runs, trial: Callable[..., FrozenTrial]
) -> None:
    assert trial("dies").state == TrialState.FAIL
    assert end_of(trial("dies")).startswith("its process died")
    assert len(runs.marks(NUMBERS["dies"], "fault-*")) == 2
    assert list(trial("dies").intermediate_values) == [1, 2, 3]


def test_one_that_hangs_too_often_fails_with_the_place(trial: Callable[..., FrozenTrial]) -> None:
    assert trial("hangs").state == TrialState.FAIL
    assert end_of(trial("hangs")).startswith("no progress within --trial-timeout")
    assert "faulty/net.py" in end_of(trial("hangs"))


def test_a_batch_that_does_not_fit_is_split(trial: Callable[..., FrozenTrial]) -> None:
    split = trial("fits in parts")
    assert split.state == TrialState.COMPLETE
    parts = [split.user_attrs[f"epoch_{n}"]["num_micro_batches"] for n in range(1, EPOCHS + 1)]
    assert parts == [1] + [4] * (EPOCHS - 1)
    assert trial("never fits").state == TrialState.FAIL
    assert "OutOfMemoryError" in end_of(trial("never fits"))


def test_the_run_goes_on_and_has_a_winner(runs: Runs) -> None:
    trials = runs.trials()
    assert len(trials) == 1 + len(FAULTS)
    assert all(trial.state.is_finished() for trial in trials)
    rows = {r.trial_number: r for r in read_rows(runs.storage).rows if not r.ensemble}
    assert sum(row.winner for row in rows.values()) == 1
    split = NUMBERS["fits in parts"]
    assert all(row.num_micro_batches == (4 if n == split else 1) for n, row in rows.items())
    assert not list((runs.folder() / "checkpoints").rglob("*.pt"))
    assert not list((runs.folder() / "checkpoints").rglob("*.tmp"))


def test_killed_at_random_moments_a_trial_reports_what_it_would_have(
    make_runs: Callable[..., Runs], address: str, tmp_path: Path
) -> None:
    values = []
    for kills in (0, 3):
        draw = random.Random(kills)
        folder = tmp_path / f"marks-{kills}"
        folder.mkdir()
        faults = {"0": {"folder": str(folder), "step_seconds": 0.03 if kills else 0.0}}
        runs = make_runs(address, faults, f"storage-{kills}")
        driver = runs.start("--trials", "1", "--epochs", "8", *RUNGS)
        killed: set[int] = set()
        for _ in range(kills):
            epoch = f"epoch-{draw.randint(1, 8)}.*"
            alive = lambda: {pid_of(m) for m in runs.marks(0, epoch)} - killed  # noqa: B023, E731
            [pid] = driver.until(alive)
            time.sleep(draw.uniform(0, 0.3))
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
        assert driver.wait() == 0, driver.said
        [trial] = runs.trials()
        assert trial.state == TrialState.COMPLETE
        assert not [key for key in trial.user_attrs if key.startswith("repeated")]
        values.append(
            [
                {k: v for k, v in trial.user_attrs[f"epoch_{n}"].items() if k != "seconds"}
                for n in range(1, 9)
            ]
        )
    assert values[0] == values[1]


def test_every_trial_fails(make_runs: Callable[..., Runs], address: str) -> None:
    runs = make_runs(address, {"*": {"fault": "raise"}, "1": {"fault": "nan"}})
    driver = runs.run("--trials", "4", "--max-failures", "0", status=1)
    assert "3 x RuntimeError: made up: it fails" in driver.said
    assert "1 x diverged" in driver.said
    assert not (runs.storage / "leaderboards").exists()
    assert not (runs.folder() / "models").exists()
