"""A search on three nodes that are killed at random: nothing is lost, and no trial fails of it."""

import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from optuna.trial import TrialState

from tests.faults.conftest import Cluster, StartCluster
from tests.faults.runs import Driver, Runs, end_of, pid_of
from tests.faults.test_driver_killed import EPOCHS, check_reports, check_rungs
from tests.faults.test_node_lost import node_of

TRIALS, KILLS = 32, 4
REPETITIONS = int(os.environ.get("REPETITIONS", "1"))
"""`REPETITIONS=5 make faults` takes minutes longer."""

SEARCH = (
    *("--trials", str(TRIALS), "--epochs", str(EPOCHS), "--max-parallel", "3"),
    *("--grace-period", "1", "--reduction-factor", "2", "--max-failures", "0"),
)


@pytest.mark.parametrize("seed", range(REPETITIONS))
def test_a_search_outlives_nodes_killed_at_random(
    make_runs: Callable[..., Runs], start_cluster: StartCluster, tmp_path: Path, seed: int
) -> None:
    """Each time that the journal has grown by a number of bytes drawn at random one is killed, and
    later a new one comes. The head stays; no trial runs there."""
    draw = random.Random(seed)
    folders = [tmp_path / str(number) for number in range(TRIALS)]
    for folder in folders:
        folder.mkdir()
    slow = {"step_seconds": 0.03}
    faults = {str(n): {"folder": str(folder), **slow} for n, folder in enumerate(folders)}
    recorded: list[bytes] = []
    with start_cluster(head=0, one=1, two=1, three=1) as cluster:
        runs = make_runs(cluster.address, faults)
        driver = runs.start(*SEARCH)
        driver.until(lambda: any(runs.reports().values()))
        for number in range(KILLS):
            grow(driver, runs, draw.randint(1_000, 12_000))
            kill_in_an_epoch(cluster, driver, runs, draw)
            recorded.append(runs.recorded())
            grow(driver, runs, draw.randint(0, 4_000))
            cluster.add(**{f"new{number}": 1})
        assert driver.wait() == 0, driver.said
    assert all(runs.recorded().startswith(before) for before in recorded)
    trials = runs.trials()
    assert len(trials) == TRIALS
    assert {end_of(trial) for trial in trials} == {"full budget", "stopped early"}
    assert {trial.state for trial in runs.trials("/retrain")} == {TrialState.COMPLETE}
    processes = [{pid_of(mark) for mark in runs.marks(trial.number)} for trial in trials]
    assert sum(len(pids) - 1 for pids in processes) >= KILLS, "a kill met no trial"
    print(f"\nrepetition {seed}: killed at {[len(b) for b in recorded]} of {runs.size()} bytes")
    assert not [key for t in trials for key in t.user_attrs if key.startswith("repeated")]
    check_reports(runs)
    check_rungs(runs)
    for trial in trials:  # a worker that has begun an epoch was told that those before are recorded
        begun = [int(mark.stem.removeprefix("epoch-")) for mark in runs.marks(trial.number)]
        assert len(trial.intermediate_values) >= max(begun) - 1


def grow(driver: Driver, runs: Runs, count: int) -> None:
    """Wait until the journal has that many bytes more."""
    size = runs.size() + count
    driver.until(lambda: runs.size() >= size)


def kill_in_an_epoch(cluster: Cluster, driver: Driver, runs: Runs, draw: random.Random) -> None:
    """The node of the trial that is the next to begin an epoch."""

    def marks() -> set[Path]:
        return {mark for number in range(TRIALS) for mark in runs.marks(number)}

    before = marks()
    [mark, *_] = driver.until(lambda: sorted(marks() - before))
    time.sleep(draw.uniform(0, 0.5))
    node = node_of(pid_of(mark), cluster)
    assert node
    cluster.kill(node)
