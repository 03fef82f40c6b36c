"""A laptop and three machines to cluster. `make cluster` runs these tests: they take minutes, and
they need root for the namespaces that the machines are made of."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.hosts import Host, hosts, network, object_store

TOOLS = (
    "ip",
    "ps",
    "rsync",
    "ssh",
    "ssh-keygen",
    "/usr/sbin/sshd",
    "nsenter",
    "setpriv",
    "unshare",
)
PACKAGES = "iproute2 openssh-client openssh-server procps rsync"


def obstacle() -> str | None:
    """Why there can be no hosts here."""
    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        return f"not installed: {', '.join(missing)} (Debian: apt-get install {PACKAGES})"
    probe = ["unshare", "--net", "--mount", "--pid", "--uts", "--fork", "--mount-proc"]
    tried = subprocess.run([*probe, "ip", "link", "add", "type", "veth"], capture_output=True)
    if tried.returncode:
        return f"network namespaces are not permitted: {tried.stderr.decode().strip()}"
    return None


@pytest.fixture(scope="module")
def switch() -> Iterator[int]:
    if not os.environ.get("CLUSTER"):
        pytest.skip("`make cluster` runs this")
    if reason := obstacle():
        pytest.skip(f"NO CLUSTER WAS TESTED: {reason}")
    with network() as switch:
        yield switch


@pytest.fixture(scope="module")
def store(switch: int) -> Iterator[dict[str, str]]:
    """An S3 server that all machines reach by its address, with an empty bucket `results` -> the
    variables that lead there."""
    with object_store(switch) as variables:
        yield variables


@pytest.fixture(scope="module")
def machines(switch: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Host]]:
    """The laptop, which has the checkout, and three machines that it can log in to."""
    checkout = Path(__file__).parents[2]
    disks = tmp_path_factory.mktemp("disks")
    names = ("laptop", "head", "worker1", "worker2")
    with hosts(switch, names, disks, checkout=checkout) as made:
        yield made
