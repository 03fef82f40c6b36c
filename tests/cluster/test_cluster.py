"""`ray up` to `ray down`, with a machine lost on the way."""

import io
import json
import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from tests.cluster.hosts import HOME, Host, wait_for
from tests.cluster.launcher import ADDRESS, DASHBOARD, Cluster, followed, launched, note

TRIALS = 18
STORAGE = "s3://results/runs"
LOST_AFTER = 5
RETRAINED = 2
DATA = "digits.parquet"
LARGEST_PACKAGE_BYTES = 2_000_000
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


@pytest.fixture(scope="module")
def data(cluster: Cluster) -> str:
    """Scanned digits in a file that only the head has, where jobs are run -> for `--dataset`."""
    digits, images = load_digits(), []
    for pixels_HW in digits.images:
        Image.fromarray((pixels_HW * 15).astype("uint8")).save(png := io.BytesIO(), "png")
        images.append({"bytes": png.getvalue(), "path": None})
    table = pa.table({"image": images, "label": digits.target})
    file = cluster.head.disk / "home" / DATA
    pq.write_table(table, file)
    note(f"{DATA}, {file.stat().st_size:,} bytes, is put on the head's disk")
    return f"parquet:{HOME / DATA}"


def submit(cluster: Cluster, store: dict[str, str], *words: str, check: bool = True) -> str:
    """`ray job submit` as docs/cluster.md has it -> what it and the job say."""
    command = ["ray", "job", "submit", *ADDRESS, "--working-dir", "."]
    command += ["--runtime-env-json", json.dumps({"env_vars": store}), *words]
    return cluster.laptop.run(*command, check=check)


def test_a_preflight_tells_what_would_go_wrong(
    cluster: Cluster, store: dict[str, str], data: str
) -> None:
    given = ("--dataset", data, "--data-dir", str(HOME / "data"), "--storage")
    preflight = ("--", "python", "-m", "tune_jobs", "preflight", *given, STORAGE)
    sent = cluster.laptop.sent_bytes()
    said = submit(cluster, store, *preflight)
    sent = cluster.laptop.sent_bytes() - sent
    note(f"the laptop sent {sent:,} bytes: the working directory, packed, through SSH")
    assert sent < LARGEST_PACKAGE_BYTES
    checks = re.findall(r"^(?:ok|WRONG) .*", said, re.MULTILINE)
    for line in checks:
        note(f"  {line}")
    assert [line.split()[0] for line in checks] == ["ok"] * 6
    own = str(HOME / "results")
    job = ("--", "python", "-m", "tune_jobs.digits_mlp", *given, own)
    refused = submit(cluster, store, *job, check=False)
    assert "the nodes do not share it" in refused
    assert "exit code 2" in refused
    note(f"--storage {own}: {re.findall('error: .*', refused)[0]}")


def test_a_search_outlives_a_machine(cluster: Cluster, store: dict[str, str], data: str) -> None:
    job = "search"
    search = ["python", "-m", "tune_jobs.digits_mlp", "--dataset", data, "--storage", STORAGE]
    search += ["--run-id", job, "--trials", str(TRIALS), "--scheduler", "none", "--epochs", "60"]
    search += ["--retrain-top", str(RETRAINED), "--retrain-seeds", "2"]
    submit(cluster, store, "--no-wait", "--submission-id", job, "--", *search)
    note(f"ray job submit --working-dir . -- {' '.join(search)}")
    lost: list[Host] = []
    progress = ""
    with followed(cluster, job) as lines:
        for line in lines:
            note(f"  {line}")
            ended = re.search(rf"search (\d+)/{TRIALS}: .*", line)
            progress = ended[0] if ended else progress
            if not lost and ended and int(ended[1]) >= LOST_AFTER:
                wait_for("a trial on a worker", lambda: any(map(trains, cluster.workers)))
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


def test_workers_have_copied_the_decoded_images_alone(cluster: Cluster, data: str) -> None:
    whole = decoded(cluster.head)  # in the --data-dir of the search, and in that of a refused job
    for host in (cluster.head, *(worker for worker in cluster.workers if worker.is_alive())):
        found = decoded(host)
        note(f"bytes of decoded images on {host.name}'s disk: {sum(map(len, found.values())):,}")
        assert found
        assert found.items() <= whole.items()
        has_file = any(path.name == DATA for path in host.disk.rglob("*"))
        assert has_file == (host is cluster.head)


def test_ray_down_leaves_nothing_running(cluster: Cluster) -> None:
    cluster.laptop.run("ray", "down", "-y", cluster.file)
    note("ray down -y")
    for host in (cluster.head, *(worker for worker in cluster.workers if worker.is_alive())):
        wait_for(f"no Ray on {host.name}", lambda host=host: not runs(host, RAY), every=2)  # type: ignore[misc]
        note(f"no Ray runs on {host.name}")


def decoded(host: Host) -> dict[str, bytes]:
    """The arrays that a host has, by path."""
    arrays = [path for path in host.disk.rglob("*.npy") if "decoded" in path.parts]
    return {str(path.relative_to(host.disk)): path.read_bytes() for path in arrays}


def trains(host: Host) -> bool:
    return runs(host, TRIAL)


def runs(host: Host, program: str) -> bool:
    return any(program in command for command in host.processes())
