"""`ray up` to `ray down`, with a machine lost on the way."""

import json
import re
from collections.abc import Iterator

import pytest

from tests.cluster.hosts import Host, wait_for
from tests.cluster.launcher import ADDRESS, DASHBOARD, Cluster, followed, launched, note

TRIALS = 18
STORAGE = "s3://results/runs"
LOST_AFTER = 5
RETRAINED = 2
TRIAL = "ray::ImplicitFunc.train"  # what Ray calls a process while it trains
RAY = "/ray/core/src/ray/"

STATUS_CODE = """
import sys, urllib.error, urllib.request
try:
    print(urllib.request.urlopen(sys.argv[1], timeout=10).status)
except urllib.error.HTTPError as error:
    print(error.code)
except urllib.error.URLError as error:
    print(error.reason)
"""


@pytest.fixture(scope="module")
def cluster(machines: list[Host]) -> Iterator[Cluster]:
    laptop, head, *workers = machines
    with launched(laptop, head, workers) as cluster:
        yield cluster


def test_nobody_gets_in_without_the_token(cluster: Cluster) -> None:
    get = ("python", "-c", STATUS_CODE)
    assert cluster.laptop.run(*get, f"{DASHBOARD}/api/jobs/").strip() == "401"
    refused = cluster.laptop.run(*get, f"http://{cluster.head.address}:8265/api/jobs/")
    assert "refused" in refused
    gcs = ("ray", "status", "--address", f"{cluster.head.address}:6379")
    said = cluster.laptop.run(*gcs, check=False, RAY_AUTH_MODE="disabled")
    assert "Unauthenticated" in said
    for host in (cluster.head, *cluster.workers):
        assert host.run("stat", "-c", "%a", "/root/.ray/auth_token").strip() == "600"
    note(f"without the token: 401 from the dashboard, and from Ray: {said.splitlines()[-1]}")


def test_only_the_code_travelled(cluster: Cluster) -> None:
    for host in (cluster.head, *cluster.workers):
        project = host.disk / "home" / "tune-jobs"
        assert (project / "pyproject.toml").exists()
        assert not {".git", ".venv", "runs", "data"} & {path.name for path in project.iterdir()}


def test_a_search_outlives_a_machine(cluster: Cluster, store: dict[str, str]) -> None:
    job = "search"
    search = ["python", "-m", "tune_jobs.digits_mlp", "--storage", STORAGE]
    search += ["--run-id", job, "--trials", str(TRIALS), "--scheduler", "none", "--epochs", "60"]
    search += ["--retrain-top", str(RETRAINED), "--retrain-seeds", "2"]
    submit = ["ray", "job", "submit", *ADDRESS, "--working-dir", ".", "--no-wait"]
    submit += ["--runtime-env-json", json.dumps({"env_vars": store})]
    cluster.laptop.run(*submit, "--submission-id", job, "--", *search)
    note(f"ray job submit --working-dir . -- {' '.join(search)}")
    lost: list[Host] = []
    progress = ""
    with followed(cluster, job) as lines:
        for line in lines:
            note(f"  {line}")
            ended = re.search(rf"search (\d+)/{TRIALS}: .*", line)
            progress = ended[0] if ended else progress
            if not lost and ended and int(ended[1]) >= LOST_AFTER:
                wait_for("a trial on a worker", lambda: any(map(trains, cluster.workers)), 30)
                lost = [host for host in cluster.workers if trains(host)][:1]
                lost[0].destroy()
                note(f"{lost[0].name} is destroyed; it ran a trial")
    status = cluster.laptop.run("ray", "job", "status", *ADDRESS, job)
    note(status.strip().splitlines()[-1])
    assert lost
    assert f"search {TRIALS}/{TRIALS}: {TRIALS} done" in progress
    assert "succeeded" in status
    show = ["env", *(f"{name}={value}" for name, value in store.items())]
    show += ["python", "-m", "tune_jobs", "leaderboard", STORAGE, "--format", "json"]
    rows = json.loads(cluster.laptop.run(*show))
    note(f"the leaderboard in {STORAGE} has {len(rows)} rows")
    assert len(rows) >= RETRAINED
    assert all(row["test_accuracy"] > 0.8 for row in rows)


def test_ray_down_leaves_nothing_running(cluster: Cluster) -> None:
    cluster.laptop.run("ray", "down", "-y", cluster.file)
    note("ray down -y")
    for host in (cluster.head, *(worker for worker in cluster.workers if worker.is_alive())):
        wait_for(f"no Ray on {host.name}", lambda host=host: not runs(host, RAY), 120, every=2)  # type: ignore[misc]
        note(f"no Ray runs on {host.name}")


def trains(host: Host) -> bool:
    return runs(host, TRIAL)


def runs(host: Host, program: str) -> bool:
    return any(program in command for command in host.processes())
