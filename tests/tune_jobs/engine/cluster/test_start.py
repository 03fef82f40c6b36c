"""Ray starts beside what its caller does, with few processes, and all of them end with it."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tune_jobs.engine.cluster.start import ray_starting

ROOT = Path(__file__).parents[4]
PATIENCE_SECONDS = 600

SCRIPT = """
import os
import time
from contextlib import suppress
from pathlib import Path

import ray

from tests.tune_jobs.engine.ray_tune.test_contract import family
from tune_jobs.engine.cluster.start import ray_starting


def runs(pid):
    with suppress(FileNotFoundError):  # it has ended since
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"


def wait_until_alone():
    assert not ray.is_initialized()
    deadline = time.monotonic() + 60
    while left := [pid for pid in family(os.getpid()) if pid != os.getpid() and runs(pid)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


with suppress(KeyError), ray_starting(None, verbose=False):
    raise KeyError  # as the data's checks do, while Ray starts
wait_until_alone()

with ray_starting(None, verbose=False) as wait:
    assert wait(), "it is no local Ray"
    assert ray.get(ray.remote(lambda: 1).remote()) == 1
    others = [pid for pid in family(os.getpid()) if pid != os.getpid()]  # its own has this script
    lines = [Path(f"/proc/{pid}/cmdline").read_text() for pid in others]
    for name in ("gcs_server", "raylet"):
        assert any(name in line for line in lines), lines
    for name in ("monitor.py", "dashboard/dashboard.py"):  # log_monitor.py too
        assert not any(name in line for line in lines), lines
wait_until_alone()
"""


def test_ray_starts_beside_its_caller_and_ends_with_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_who_is_refused_before_a_cluster_is_needed_does_not_wait_for_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # for which Ray tries for minutes
        host, port = silent.getsockname()
        with pytest.raises(KeyError), ray_starting(f"{host}:{port}", verbose=False):
            raise KeyError  # as the data's checks do
        silent.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody has connected
            silent.accept()
