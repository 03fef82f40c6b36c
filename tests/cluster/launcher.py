"""Ray's own command line, as a user at the laptop types it: up, dashboard, job submit, down."""

import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import yaml  # type: ignore[import-untyped]

from tests.cluster.hosts import HOME, PATIENCE_SECONDS, Host, wait_for

FILE = Path(__file__).parents[2] / "cluster.onprem.yaml"
DASHBOARD = "http://127.0.0.1:8265"
ADDRESS = ("--address", DASHBOARD)

PATIENT = (
    "export RAY_raylet_start_wait_time_s=300 RAY_worker_register_timeout_seconds=300 "
    "RAY_agent_register_timeout_ms=300000 RAY_gcs_rpc_server_reconnect_timeout_s=10; "
)
"""A machine that is busy otherwise makes Ray give up a node or a worker that only starts slowly.

`ray down` stops Ray on the head alone; the workers' ends so many seconds after it (60 otherwise).
"""

_BEGUN = time.monotonic()


def note(text: str) -> None:
    """A line of the transcript, without the colours that Ray puts in."""
    plain = re.sub(r"\x1b\[\d*m", "", text)
    print(f"[{time.monotonic() - _BEGUN:6.1f} s] {plain}", flush=True)


@dataclass(frozen=True, slots=True)
class Cluster:
    """One that runs."""

    laptop: Host
    head: Host
    workers: Sequence[Host]
    file: str

    def num_nodes(self) -> int:
        status = self.laptop.run("ray", "exec", self.file, "ray status", check=False)
        active = status.partition("Active:")[2].partition("Pending:")[0]
        return sum(int(count) for count in re.findall(r"^\s*(\d+) ", active, re.MULTILINE))


def render(laptop: Host, head: Host, workers: Sequence[Host]) -> str:
    """The user's file with these machines in it, on the laptop; a machine counts as one CPU."""
    config = yaml.safe_load(FILE.read_text())
    config["provider"] |= {"head_ip": head.address, "worker_ips": [w.address for w in workers]}
    config["auth"] |= {"ssh_user": "root", "ssh_private_key": "~/.ssh/id_ed25519"}
    for kind in ("head_start_ray_commands", "worker_start_ray_commands"):
        config[kind] = [f"{PATIENT}{c}" if "ray start" in c else c for c in config[kind]]
        config[kind] = [c.replace("ray start", "ray start --num-cpus=1") for c in config[kind]]
    (laptop.disk / "home" / FILE.name).write_text(yaml.safe_dump(config, sort_keys=False))
    return str(HOME / FILE.name)


@contextmanager
def launched(laptop: Host, head: Host, workers: Sequence[Host]) -> Iterator[Cluster]:
    """`ray up`, and the dashboard forwarded to the laptop until the end."""
    laptop.run("ray", "get-auth-token", "--generate")
    laptop.run("chmod", "600", str(HOME / ".ray" / "auth_token"))
    cluster = Cluster(laptop, head, workers, render(laptop, head, workers))
    note(f"ray up -y {FILE.name}: a head and {len(workers)} workers")
    said = laptop.run("ray", "up", "-y", cluster.file)
    sent = max(int(count.replace(",", "")) for count in re.findall(r"sent ([\d,]+) bytes", said))
    note(f"the head runs; rsync sent the project in {sent:,} bytes")
    forward = subprocess.Popen(
        laptop.command("ray", "dashboard", cluster.file),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for("all nodes", lambda: cluster.num_nodes() == 1 + len(workers), every=2)
        note(f"{1 + len(workers)} nodes are active")
        yield cluster
    finally:
        forward.terminate()
        with suppress(subprocess.TimeoutExpired):
            forward.wait(10)
        forward.kill()


@contextmanager
def followed(cluster: Cluster, job: str) -> Iterator[Iterator[str]]:
    """The lines of a job's log as `ray job logs --follow` shows them, until the job ends."""
    words = ("timeout", str(PATIENCE_SECONDS), "ray", "job", "logs", *ADDRESS, "--follow", job)
    with subprocess.Popen(
        cluster.laptop.command(*words),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout
        try:
            yield (line.rstrip() for line in process.stdout)
        finally:
            process.kill()
