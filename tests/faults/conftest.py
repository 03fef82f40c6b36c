"""A Ray cluster for all tests of faults that are not in Ray itself: starting one takes seconds."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.faults.runs import JOB_FOLDER, PATIENCE_SECONDS, Runs


@pytest.fixture(scope="session")
def environment() -> Iterator[None]:
    """Workers find the job's modules, import what a trial needs as they start, and get their share
    of a busy machine (Ray's are nice otherwise)."""
    before = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_preload_python_modules", "torch,ray.tune")
        patch.setenv("RAY_worker_niceness", "0")
        patch.setenv("RAY_worker_register_timeout_seconds", str(PATIENCE_SECONDS))
        patch.setenv("PYTHONPATH", os.pathsep.join([str(JOB_FOLDER), *before]))
        yield


@dataclass(frozen=True, slots=True)
class Cluster:
    """One that runs, whose nodes can be killed and added.

    Attributes:
        raylets: Process ids by node, of those that were not killed.
    """

    address: str
    raylets: dict[str, int]
    process: "subprocess.Popen[str]"

    def add(self, **cpus: int) -> None:
        assert self.process.stdin
        assert self.process.stdout
        for name, count in cpus.items():
            self.process.stdin.write(f"{name}={count}\n")
            self.process.stdin.flush()
            self.raylets.update(json.loads(self.process.stdout.readline())["raylets"])

    def kill(self, name: str) -> None:
        """As a machine that loses its power: the raylet, so that it cannot tell, and its workers at
        once, since they would go on for a while. The cluster finds out in ten seconds or more."""
        raylet = self.raylets.pop(name)
        children = [file.read_text() for file in Path(f"/proc/{raylet}/task").glob("*/children")]
        for pid in (raylet, *map(int, " ".join(children).split())):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


StartCluster = Callable[..., AbstractContextManager[Cluster]]


@pytest.fixture(scope="session")
def start_cluster(environment: None) -> StartCluster:
    @contextmanager
    def start(**cpus: int) -> Iterator[Cluster]:
        """Nodes by name, the head first."""
        folder = tempfile.mkdtemp(prefix="fault-")  # a short path: sockets lie below it
        words = [f"{name}={count}" for name, count in cpus.items()]
        with subprocess.Popen(
            [sys.executable, Path(__file__).with_name("cluster.py"), folder, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        ) as process:
            assert process.stdin
            assert process.stdout
            try:
                yield Cluster(**json.loads(process.stdout.readline()), process=process)
            finally:
                process.stdin.close()
                process.wait(timeout=PATIENCE_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)

    return start


@pytest.fixture(scope="session")
def address(start_cluster: StartCluster) -> Iterator[str]:
    with start_cluster(head=1) as cluster:
        yield cluster.address


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def make_runs(tmp_path: Path, data: Path, environment: None) -> Iterator[Callable[..., Runs]]:
    """Runs whose processes have ended when the test has."""
    made: list[Runs] = []

    def make(
        address: str | None, faults: Mapping[str, Mapping[str, Any]] | None = None, at: str = "a"
    ) -> Runs:
        made.append(Runs(storage=tmp_path / at, data=data, address=address, faults=faults or {}))
        return made[-1]

    yield make
    for runs in made:
        runs.stop()


@pytest.fixture
def runs(make_runs: Callable[..., Runs], address: str) -> Runs:
    return make_runs(address)
