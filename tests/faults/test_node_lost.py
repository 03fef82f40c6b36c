"""A node of a cluster is lost; the nodes share nothing but the storage."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState

from tests.faults.conftest import StartCluster
from tests.faults.runs import Runs, pid_of


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])


def announce_preemption(cluster: dict[str, Any], node: str) -> None:
    """As a cloud does that takes a spot machine back at once."""
    words = [sys.executable, "-m", "ray.scripts.scripts", "drain-node"]
    words += ["--address", cluster["address"], "--node-id", cluster["ids"][node]]
    words += ["--reason", "DRAIN_NODE_REASON_PREEMPTION", "--reason-message", "made up"]
    words += ["--deadline-remaining-seconds", "0"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("preempted", "max_failures"), [(False, "1"), (True, "0")])
def test_its_trials_go_on_elsewhere_from_their_checkpoints(
    make_runs: Callable[..., Runs],
    start_cluster: StartCluster,
    tmp_path: Path,
    preempted: bool,
    max_failures: str,
) -> None:
    """A node that is lost counts as a failure of its trials, one that is taken back does not."""
    folder = tmp_path / "marks"
    folder.mkdir()
    faults = {"0": {"folder": str(folder), "fault": "hang", "at_epoch": 4, "times": 1}}
    with start_cluster(head=0, one=1, two=1) as cluster:
        runs = make_runs(cluster["address"], faults)
        driver = runs.start(
            *("--epochs", "6", "--trials", "3", "--max-parallel", "2"),
            *("--grace-period", "1", "--reduction-factor", "2", "--max-failures", max_failures),
        )
        driver.until(lambda: runs.marks(0, "fault-*"))
        [mark] = runs.marks(0, "epoch-4.*")
        raylet = parent_of(pid_of(mark))
        [node] = [name for name, pid in cluster["raylets"].items() if pid == raylet]
        if preempted:
            announce_preemption(cluster, node)
        os.kill(raylet, signal.SIGKILL)
        assert driver.wait() == 0, driver.said
    first = runs.trials()[0]
    assert first.state == TrialState.COMPLETE
    assert first.user_attrs["resumed"] == [{"resumed_from": 2, "corrupt": ""}]
    assert [f["epoch"] for f in runs.reports()["faulty/run"][0]] == [1, 2, 3, 4, 5, 6]
    assert not [key for key in first.user_attrs if key.startswith("repeated")]
    assert len(runs.trials()) == 3
    assert all(trial.state.is_finished() for trial in runs.trials())
