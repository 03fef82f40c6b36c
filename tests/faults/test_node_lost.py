"""A node of a cluster is lost; the nodes share nothing but the storage."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

from optuna.trial import TrialState

from tests.faults.conftest import StartCluster
from tests.faults.runs import Runs, pid_of


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])


def test_its_trials_go_on_elsewhere_from_their_checkpoints(
    make_runs: Callable[..., Runs], start_cluster: StartCluster, tmp_path: Path
) -> None:
    folder = tmp_path / "marks"
    folder.mkdir()
    faults = {"0": {"folder": str(folder), "fault": "hang", "at_epoch": 4, "times": 1}}
    with start_cluster(head=0, one=1, two=1) as cluster:
        runs = make_runs(cluster["address"], faults)
        driver = runs.start(
            *("--epochs", "6", "--trials", "3", "--max-parallel", "2"),
            *("--grace-period", "1", "--reduction-factor", "2"),
        )
        driver.until(lambda: runs.marks(0, "fault-*"))
        [mark] = runs.marks(0, "epoch-4.*")
        raylet = parent_of(pid_of(mark))
        assert raylet in cluster["raylets"].values()
        os.kill(raylet, signal.SIGKILL)
        assert driver.wait() == 0, driver.said
    first = runs.trials()[0]
    assert first.state == TrialState.COMPLETE
    assert first.user_attrs["resumed"] == [{"resumed_from": 2, "corrupt": ""}]
    assert [f["epoch"] for f in runs.reports()["faulty/run"][0]] == [1, 2, 3, 4, 5, 6]
    assert not [key for key in first.user_attrs if key.startswith("repeated")]
    assert len(runs.trials()) == 3
    assert all(trial.state.is_finished() for trial in runs.trials())
