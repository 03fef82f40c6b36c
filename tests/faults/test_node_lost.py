"""A node of a cluster is lost; the nodes share nothing but the storage."""

from collections.abc import Callable
from pathlib import Path

from optuna.trial import TrialState

from tests.faults.conftest import Cluster, StartCluster
from tests.faults.runs import Runs, pid_of


def node_of(pid: int, cluster: Cluster) -> str | None:
    """Where a worker runs: its parent is the node's raylet. `None`: it runs no more."""
    try:
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])
    except FileNotFoundError:
        return None
    return {raylet: name for name, raylet in cluster.raylets.items()}.get(parent)


def test_its_trial_goes_on_elsewhere_and_has_not_failed(
    make_runs: Callable[..., Runs], start_cluster: StartCluster, tmp_path: Path
) -> None:
    """However often; from its checkpoint."""
    folder = tmp_path / "marks"
    folder.mkdir()
    faults = {"1": {"folder": str(folder), "fault": "hang", "at_epoch": 4, "times": 2}}
    with start_cluster(head=0, one=1, two=1) as cluster:
        runs = make_runs(cluster.address, faults)
        driver = runs.start(
            *("--epochs", "6", "--trials", "3", "--max-parallel", "2", "--max-failures", "0"),
            *("--grace-period", "1", "--reduction-factor", "2", "--brackets", "40"),
        )
        lost: set[Path] = set()
        for new in ("three", "four"):
            [mark] = driver.until(lambda: set(runs.marks(1, "epoch-4.*")) - lost)
            node = node_of(pid_of(mark), cluster)
            assert node
            cluster.kill(node)
            lost.add(mark)
            cluster.add(**{new: 1})
        assert driver.wait() == 0, driver.said
    trial = runs.trials()[1]
    assert trial.state == TrialState.COMPLETE
    assert trial.user_attrs["resumed"] == [{"resumed_from": 2, "corrupt": ""}] * 2
    assert [f["epoch"] for f in runs.reports()["faulty/run"][1]] == [1, 2, 3, 4, 5, 6]
    assert not [key for key in trial.user_attrs if key.startswith("repeated")]
    assert len(runs.trials()) == 3
    assert all(trial.state.is_finished() for trial in runs.trials())
