"""`python -m tune_jobs preflight` against a cluster of two nodes, and a run's own check."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import StartCluster
from tests.faults.runs import JOB_FOLDER

ROOT = Path(__file__).parents[2]
SKEWED = "Metadata-Version: 2.1\nName: optuna\nVersion: 0.1\n"


@pytest.fixture(scope="module")
def two_nodes(start_cluster: StartCluster) -> Iterator[str]:
    with start_cluster(head=1, other=1) as cluster:
        yield cluster.address


def preflight(*arguments: str, **environment: str) -> tuple[int, dict[str, str]]:
    """Exit status, and by check what was said, the verdict first."""
    words = [sys.executable, "-m", "tune_jobs", "preflight", *arguments]
    env = {**os.environ, **environment}
    env.pop("RAY_ADDRESS", None)
    done = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    said = {line.split()[1]: f"{line.split()[0]} {line[16:]}" for line in lines}
    return done.returncode, said


def test_what_is_well(two_nodes: str, tmp_path: Path) -> None:
    storage = ("--storage", str(tmp_path / "storage"))
    data = ("--dataset", "digits", "--data-dir", str(tmp_path))
    status, said = preflight("--address", two_nodes, *storage, *data)
    assert status == 0
    assert list(said) == ["token", "data", "address", "cluster", "versions", "storage"]
    assert all(line.startswith("ok ") for line in said.values())
    assert said["cluster"] == "ok 2 nodes, 2 CPUs, 0 GPUs"
    assert said["storage"].endswith("2 nodes write to it and read what the others wrote")
    assert not list((tmp_path / "storage").iterdir())


def test_a_storage_that_cannot_be_written(two_nodes: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    status, said = preflight("--address", two_nodes, "--storage", str(tmp_path / "file" / "below"))
    assert status == 2
    assert said["storage"].startswith("WRONG --storage = ")
    assert "it cannot be written on " in said["storage"]


def test_nodes_that_do_not_share_the_storage(two_nodes: str, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "faulty.unshared", two_nodes, str(tmp_path)]
    done = subprocess.run(words, cwd=JOB_FOLDER, capture_output=True, text=True)
    assert done.returncode
    assert re.search(r"the nodes do not share it: .* does not see what .* wrote", done.stderr)
    assert len(list(tmp_path.iterdir())) == 2
    assert not list(tmp_path.glob("*/*"))


def test_other_versions(two_nodes: str, tmp_path: Path) -> None:
    (tmp_path / "optuna-0.1.dist-info").mkdir()
    (tmp_path / "optuna-0.1.dist-info" / "METADATA").write_text(SKEWED)
    path = f"{tmp_path}:{os.environ['PYTHONPATH']}"
    status, said = preflight("--address", two_nodes, PYTHONPATH=path)
    assert status == 2
    assert said["versions"].startswith("WRONG ")
    assert said["versions"].endswith("the driver 0.1")


def test_data_that_is_not_there(tmp_path: Path) -> None:
    status, said = preflight("--dataset", f"folder:{tmp_path}/none", "--address", "127.0.0.1:9")
    assert status == 2
    assert said["data"].startswith("WRONG ")
    assert "nothing answers" in said["address"]


def test_the_dashboards_address() -> None:
    status, said = preflight("--address", "http://127.0.0.1:8265")
    assert status == 2
    assert "from outside: ray job submit" in said["address"]


@pytest.mark.parametrize(("mode", "verdict"), [(0o600, "ok "), (0o644, "WRONG others may read ")])
def test_the_tokens_file(tmp_path: Path, mode: int, verdict: str) -> None:
    token = tmp_path / ".ray" / "auth_token"
    environment = {"HOME": str(tmp_path), "RAY_AUTH_MODE": "token"}
    nowhere = ("--address", "127.0.0.1:9")
    status, said = preflight(*nowhere, **environment)
    assert status == 2
    assert said["token"].startswith(f"WRONG there is none at {token}")
    token.parent.mkdir()
    token.write_text("0" * 64)
    token.chmod(mode)
    _, said = preflight(*nowhere, **environment)
    assert said["token"].startswith(verdict)
