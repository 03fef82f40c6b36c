"""A cluster that grows while a search runs."""

from collections.abc import Callable
from pathlib import Path

from tests.faults.conftest import StartCluster
from tests.faults.runs import Runs, pid_of
from tests.faults.test_node_lost import node_of


def test_a_search_begins_with_the_first_worker_and_takes_up_those_that_join(
    make_runs: Callable[..., Runs], start_cluster: StartCluster, tmp_path: Path
) -> None:
    """The head has no CPUs, as in `cluster.yaml`. Four trials hang: each needs a CPU of its own."""
    folders = [tmp_path / str(number) for number in range(5)]
    for folder in folders:
        folder.mkdir()
    hang = {"fault": "hang", "at_epoch": 1, "times": 1}
    faults = {str(n): {"folder": str(folder), **hang} for n, folder in enumerate(folders) if n}
    with start_cluster(head=0) as cluster:
        runs = make_runs(cluster.address, faults)
        driver = runs.start("--trials", "5", "--epochs", "2", "--max-parallel", "4")
        driver.until(lambda: "waiting for a worker with 1 CPUs" in driver.said)
        cluster.add(one=1)
        driver.until(lambda: runs.marks(1, "fault-*"))
        cluster.add(two=3)
        marks = [driver.until(lambda n=n: runs.marks(n, "epoch-1.*"))[0] for n in range(1, 5)]  # type: ignore[misc]
        nodes = [node_of(pid_of(mark), cluster) for mark in marks]
    assert nodes == ["one", "two", "two", "two"]
