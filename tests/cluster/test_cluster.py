"""`ray up` to `ray down`, with a machine lost on the way."""

import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from tests.cluster.hosts import HOME, Host, wait_for
from tests.cluster.launcher import ADDRESS, DASHBOARD, Cluster, followed, launched, note

TRIALS = 18
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


def test_a_preflight_tells_what_would_go_wrong(cluster: Cluster, storage: str, data: str) -> None:
    python = (str(HOME / "venv" / "bin" / "python"), "-m")
    preflight = (*python, "tune_jobs", "preflight", "--address", "auto")
    given = ("--dataset", data, "--data-dir", str(HOME / "data"), "--storage")
    said = cluster.head.run(*preflight, *given, storage)
    for line in said.splitlines():
        note(f"  {line}")
    assert re.findall(r"^(\w+) ", said, re.MULTILINE) == ["ok"] * 6
    own = str(HOME / "results")
    assert "the nodes do not share it" in cluster.head.run(*preflight, *given, own, check=False)
    run = (*python, "tune_jobs.digits_mlp", "--address", "auto", *given, own)
    refused = cluster.head.run("sh", "-c", f"{shlex.join(run)}; echo status $?")
    assert "the nodes do not share it" in refused
    assert refused.endswith("status 2\n")
    note(f"--storage {own}: {refused.strip().splitlines()[-2]}")


def test_a_search_outlives_a_machine(cluster: Cluster, storage: str, data: str) -> None:
    job = "search"
    search = ["python", "-m", "tune_jobs.digits_mlp", "--address", "auto", "--storage", storage]
    search += [
        "--dataset",
        data,
        "--run-id",
        job,
        "--trials",
        str(TRIALS),
        "--scheduler",
        "none",
        "--epochs",
        "60",
    ]
    search += ["--retrain-top", str(RETRAINED), "--retrain-seeds", "2"]
    submit = ("ray", "job", "submit", *ADDRESS, "--working-dir", ".", "--no-wait")
    sent = cluster.laptop.sent_bytes()
    cluster.laptop.run(*submit, "--submission-id", job, "--", *search)
    note(f"ray job submit --working-dir . -- {' '.join(search)}")
    sent = cluster.laptop.sent_bytes() - sent
    note(f"the laptop sent {sent:,} bytes: the working directory, packed, through SSH")
    assert sent < LARGEST_PACKAGE_BYTES
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
    rows = pq.read_table(Path(storage) / "leaderboards" / "digits_mlp" / f"{job}.parquet")
    note(f"the leaderboard has {rows.num_rows} rows")
    assert rows.num_rows >= RETRAINED
    assert all(accuracy > 0.8 for accuracy in rows["test_accuracy"].to_pylist())


def test_no_worker_has_read_data_from_a_disk(cluster: Cluster, data: str) -> None:
    """There is none: neither the file nor what it was decoded to."""
    for host in (cluster.head, *cluster.workers):
        files = [path for path in host.disk.rglob("*") if path.name == DATA or is_decoded(path)]
        size = sum(path.stat().st_size for path in files)
        note(f"bytes of the data set on {host.name}'s disk: {size:,}")
        assert (size > 0) == (host is cluster.head)


def test_ray_down_leaves_nothing_running(cluster: Cluster) -> None:
    cluster.laptop.run("ray", "down", "-y", cluster.file)
    note("ray down -y")
    for host in (cluster.head, *(worker for worker in cluster.workers if worker.is_alive())):
        wait_for(f"no Ray on {host.name}", lambda host=host: not runs(host, RAY), every=2)  # type: ignore[misc]
        note(f"no Ray runs on {host.name}")


def is_decoded(path: Path) -> bool:
    return "decoded" in path.parts and path.is_file()


def trains(host: Host) -> bool:
    return runs(host, TRIAL)


def runs(host: Host, program: str) -> bool:
    return any(program in command for command in host.processes())
