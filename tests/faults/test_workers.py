"""Trials that several processes train: stopped, killed, failing, they leave nothing behind."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState

from tests.faults.conftest import StartCluster
from tests.faults.runs import Runs, end_of, pid_of, wait_until
from tests.faults.test_node_lost import node_of

TWO = ("--workers-per-trial", "2")
EPOCHS = 6
RUNGS = ("--grace-period", "1", "--reduction-factor", "2", "--brackets", "40")
"""Checkpoints after epochs 1, 2 and 4; no trial is stopped, being the only one of its bracket."""

LEFT = """
import json, sys
import ray
ray.init(address=sys.argv[1], logging_level="ERROR")
groups = [group["state"] for group in ray.util.placement_group_table().values()]
free = ray.available_resources().get("CPU", 0.0)
print(json.dumps({"groups": sum(state != "REMOVED" for state in groups), "cpus": free}))
"""


@pytest.fixture(scope="module")
def address(start_cluster: StartCluster) -> Iterator[str]:
    with start_cluster(head=2) as cluster:
        yield cluster.address


def left_on(address: str) -> dict[str, Any]:
    """Placement groups that are not removed, and CPUs that nobody holds."""
    done = subprocess.run(
        [sys.executable, "-c", LEFT, address], capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def is_peer(pid: int) -> bool:
    return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"ray::Peer")


def test_a_search_that_stops_trials_leaves_nothing(
    make_runs: Callable[..., Runs], address: str, tmp_path: Path
) -> None:
    runs = make_runs(address, {"*": {"folder": str(tmp_path)}})
    stopping = ("--grace-period", "1", "--reduction-factor", "2")
    runs.run("--trials", "8", "--epochs", "8", "--sampler", "random", *TWO, *stopping)
    trials = runs.trials()
    assert len(trials) == 8
    assert {trial.state for trial in trials} == {TrialState.COMPLETE, TrialState.PRUNED}
    assert all(end_of(trial) in ("full budget", "stopped early") for trial in trials)
    pids = {pid_of(mark) for mark in runs.marks("*")}
    assert len(pids) == 2  # both stay from trial to trial
    wait_until(lambda: not any(map(is_alive, pids)))
    wait_until(lambda: left_on(address) == {"groups": 0, "cpus": 2.0})


@pytest.mark.parametrize("victim", ["rank 0", "a peer"])
def test_one_whose_process_is_killed_goes_on_from_its_checkpoint(
    make_runs: Callable[..., Runs], address: str, tmp_path: Path, victim: str
) -> None:
    values = []
    for killed in (False, True):
        folder = tmp_path / f"marks-{killed}"
        folder.mkdir()
        faults = {"0": {"folder": str(folder), "step_seconds": 0.05 if killed else 0.0}}
        runs = make_runs(address, faults, f"storage-{killed}")
        driver = runs.start("--trials", "1", "--epochs", str(EPOCHS), *TWO, *RUNGS)
        if killed:
            driver.until(lambda: len(runs.marks(0, "epoch-4.*")) == 2)  # noqa: B023
            pids = [pid_of(mark) for mark in runs.marks(0, "epoch-4.*")]
            [chosen] = [pid for pid in pids if is_peer(pid) == (victim == "a peer")]
            os.kill(chosen, signal.SIGKILL)
            wait_until(lambda: not any(map(is_alive, pids)))  # noqa: B023
        assert driver.wait() == 0, driver.said
        [trial] = runs.trials()
        assert trial.state == TrialState.COMPLETE
        resumed = [{"resumed_from": 2, "corrupt": ""}] if killed else None
        assert trial.user_attrs.get("resumed") == resumed
        assert not [key for key in trial.user_attrs if key.startswith("repeated")]
        values.append(
            [
                {k: v for k, v in trial.user_attrs[f"epoch_{n}"].items() if k != "seconds"}
                for n in range(1, EPOCHS + 1)
            ]
        )
    assert values[0] == values[1]


@pytest.mark.parametrize(
    ("fault", "cause", "status"),
    [
        ("raise", "RuntimeError: made up: it fails", 1),
        ("out of memory", "torch.OutOfMemoryError: made up: the batch does not fit; a batch is", 1),
        ("hang", "no progress within --trial-timeout; it was at File", 0),
        ("die", "its process died", 0),
    ],
)
def test_one_that_fails_says_why(
    make_runs: Callable[..., Runs],
    address: str,
    tmp_path: Path,
    fault: str,
    cause: str,
    status: int,
) -> None:
    """Its retraining fails like it; but the one process that hung or died does so once."""
    misbehaving = {"fault": fault, "at_epoch": 2, "times": 1, "largest_batch": 0}
    runs = make_runs(address, {"0": {**misbehaving, "folder": str(tmp_path)}})
    limits = ("--max-failures", "0", "--trial-timeout", "30s")
    runs.run("--trials", "1", "--epochs", "3", *limits, *TWO, *RUNGS, status=status)
    [trial] = runs.trials()
    assert trial.state == TrialState.FAIL
    assert list(trial.intermediate_values) == [1]
    assert end_of(trial).startswith(cause)
    assert "/ray/" not in end_of(trial)
    wait_until(lambda: left_on(address) == {"groups": 0, "cpus": 2.0})


@pytest.mark.parametrize("victim", ["rank 0", "a peer"])
def test_a_trial_over_two_nodes_outlives_one_of_them(
    make_runs: Callable[..., Runs], start_cluster: StartCluster, tmp_path: Path, victim: str
) -> None:
    faults = {"0": {"folder": str(tmp_path), "step_seconds": 0.05}}
    with start_cluster(head=0, one=1, two=1) as cluster:
        runs = make_runs(cluster.address, faults)
        once = ("--max-failures", "0")
        driver = runs.start("--trials", "1", "--epochs", str(EPOCHS), *TWO, *RUNGS, *once)
        driver.until(lambda: len(runs.marks(0, "epoch-4.*")) == 2)
        pids = [pid_of(mark) for mark in runs.marks(0, "epoch-4.*")]
        nodes = {is_peer(pid) == (victim == "a peer"): node_of(pid, cluster) for pid in pids}
        assert set(nodes.values()) == {"one", "two"}
        cluster.kill(str(nodes[True]))
        cluster.add(three=1)
        assert driver.wait() == 0, driver.said
    [trial] = runs.trials()
    assert trial.state == TrialState.COMPLETE
    assert trial.user_attrs["resumed"] == [{"resumed_from": 2, "corrupt": ""}]
