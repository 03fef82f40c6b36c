"""Machines for a cluster, made of Linux namespaces.

A host has its own network address, process ids, `/tmp`, `/dev/shm`, `/run`, home and SSH server; it
shares the kernel and the rest of the disk. All of it hangs on one process, the host's first: when
that dies, so do the host's other processes (`ray stop` on one host cannot reach another's), and its
mounts and its network go with them. The namespaces have no names that could be left behind, and the
first processes die with the process that made them, however that ends.
"""

import json
import os
import shlex
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

PATIENCE_SECONDS = 600
"""Never a measure of speed: what hangs is not waited for longer."""

GATEWAY = "10.77.0.1"
SWITCH_MAC = "02:00:00:00:00:01"
"""Without one of its own a bridge takes the lowest of its ports': a new one when that host is
destroyed, and the others do not find it for half a minute."""
HOME = Path("/root")
TMP = Path("/tmp")
NAMESPACES = ("--net", "--mount", "--pid", "--uts")
SSHD_CONFIG = """\
ListenAddress {address}
HostKey {home}/host_key
AuthorizedKeysFile {home}/.ssh/authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
UseDNS no
StrictModes no
PidFile none
MaxStartups 100
"""
STORE_PORT = 5000
MAKE_BUCKET = (
    "import boto3; boto3.client('s3', region_name='us-east-1').create_bucket(Bucket='results')"
)
SCRIPTS = {
    "pip": 'exec ~/venv/bin/python -m pip "$@" --no-deps --no-index --no-build-isolation',
    "ray": 'exec ~/venv/bin/python -m ray.scripts.scripts "$@"',
}
"""Commands of a host's environment, which has the packages already and no network to get more."""


def wait_for(what: str, condition: Callable[[], bool], every: float = 0.1) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {PATIENCE_SECONDS} s still not: {what}")
        time.sleep(every)


@dataclass(frozen=True, kw_only=True, slots=True)
class Host:
    """One machine, as seen from outside of it."""

    name: str
    address: str
    disk: Path  # what is below its home is in `disk / "home"` here
    first: int  # its first process

    def command(self, *words: str, **env: str) -> list[str]:
        """A command line that runs `words` on the host, in the folder that this process is in."""
        base = {
            "HOME": str(HOME),
            "PATH": f"{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/sbin:/bin",
            "RAY_AUTH_MODE": "token",
            "RAY_USAGE_STATS_ENABLED": "0",
            "PYTHONUNBUFFERED": "1",
        }
        variables = [f"{key}={value}" for key, value in {**base, **env}.items()]
        enter = ["nsenter", f"--target={self.first}", *NAMESPACES, f"--wd={Path.cwd()}"]
        return [*enter, "env", "-i", *variables, *words]

    def run(self, *words: str, check: bool = True, **env: str) -> str:
        """What the command says, on both its outputs."""
        done = subprocess.run(
            self.command(*words, **env),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        if check and done.returncode:
            raise RuntimeError(f"{self.name}: {shlex.join(words)}\n{done.stdout}")
        return done.stdout

    def processes(self) -> list[str]:
        """Command lines of all that runs on the host."""
        return self.run("ps", "-e", "-o", "args=").splitlines()

    def sent_bytes(self) -> int:
        """All that has left its network interface."""
        [interface] = json.loads(self.run("ip", "-statistics", "-json", "link", "show", "eth0"))
        return int(interface["stats64"]["tx"]["bytes"])

    def is_alive(self) -> bool:
        return Path(f"/proc/{self.first}").exists()

    def destroy(self) -> None:
        """The power cord: nothing says goodbye, and the address answers no more."""
        os.kill(self.first, 9)


@contextmanager
def namespaces(script: str) -> Iterator[int]:
    """Run `script` as the first process of new namespaces; yields its id out here.

    `setpriv` lets `unshare` die with us, and `--kill-child` the script with `unshare`.
    """
    unshare = ["unshare", *NAMESPACES, "--mount-proc", "--propagation=private", "--fork"]
    words = ["setpriv", "--pdeathsig=KILL", *unshare, "--kill-child", "bash", "-euc", script]
    with tempfile.TemporaryFile() as said:
        outer = subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=said)
        children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
        try:
            wait_for("namespaces", lambda: bool(children.read_text()))
            yield int(children.read_text())
        except TimeoutError as error:
            said.seek(0)
            error.add_note(said.read().decode())
            raise
        finally:
            outer.kill()
            outer.wait()


@contextmanager
def network() -> Iterator[int]:
    """A switch, in a network namespace of its own; yields its first process."""
    script = (
        f"ip link set lo up; ip link add switch address {SWITCH_MAC} type bridge; "
        "ip link set switch up; "
        f"ip address add {GATEWAY}/24 dev switch; exec sleep infinity"
    )
    with namespaces(script) as switch:
        show = [*in_network(switch), "ip", "-brief", "address", "show", "switch"]

        def is_up() -> bool:
            return GATEWAY in subprocess.run(show, capture_output=True, text=True).stdout

        wait_for("the switch", is_up)
        yield switch


@contextmanager
def object_store(switch: int) -> Iterator[dict[str, str]]:
    """An S3 server (moto's) at the switch, with a bucket `results` -> what leads there."""
    address = f"http://{GATEWAY}:{STORE_PORT}"
    variables = {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
    }
    python = [*in_network(switch), "setpriv", "--pdeathsig=KILL", sys.executable]
    serve = ["-m", "moto.server", "-H", GATEWAY, "-p", str(STORE_PORT)]
    server = subprocess.Popen(
        [*python, *serve], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    make = [*python, "-c", MAKE_BUCKET]

    def is_up() -> bool:
        return not subprocess.run(
            make, env={**os.environ, **variables}, stderr=subprocess.DEVNULL
        ).returncode

    try:
        wait_for("the S3 server", is_up, every=1)
        yield variables
    finally:
        server.kill()
        server.wait()


def in_network(switch: int) -> list[str]:
    return ["nsenter", f"--target={switch}", "--net"]


@contextmanager
def host(
    switch: int, name: str, number: int, disk: Path, *, shown: Path | None, hidden: Path | None
) -> Iterator[Host]:
    """A machine at 10.77.0.`number`, on which the folder `shown` is where it is here."""
    address = f"10.77.0.{number}"
    furnish(disk, address)
    private = {HOME: disk / "home", TMP: disk / "tmp"}
    if hidden:
        private[hidden] = disk / "hidden"
    kept = [Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()]
    kept += [shown.resolve()] if shown else []
    mounts = [f"mount --rbind {own} {path}" for path, own in private.items() if path != TMP]
    script = "\n".join(
        (
            f"hostname {name}",
            *(line for path in kept for line in keep(path, private)),
            "mount -t tmpfs tmpfs /dev/shm",
            "mount -t tmpfs tmpfs /run; mkdir /run/sshd",
            *mounts,
            f"mount --rbind {private[TMP]} {TMP}",  # the last, since the disk may be below it
            "ip link set lo up",
            "until ip link set eth0 up 2> /dev/null; do sleep 0.05; done",
            f"ip address add {address}/24 dev eth0; ip route add default via {GATEWAY}",
            f"exec /usr/sbin/sshd -D -f {HOME}/sshd_config -E {HOME}/sshd_log",
        )
    )
    with namespaces(script) as first:
        cable = ["type", "veth", "peer", "name", "eth0", "netns", str(first)]
        link = [*in_network(switch), "ip", "link"]
        subprocess.run([*link, "add", name, *cable], check=True)
        subprocess.run([*link, "set", name, "master", "switch", "up"], check=True)
        log = disk / "home" / "sshd_log"
        wait_for(f"SSH on {name}", lambda: log.exists() and "listening" in log.read_text())
        yield Host(name=name, address=address, disk=disk, first=first)


def keep(path: Path, private: Mapping[Path, Path]) -> Iterator[str]:
    """Commands that leave `path` where it is, although a folder above it is a private one."""
    for folder, own in private.items():
        if path.is_relative_to(folder) and path != folder:
            below = own / path.relative_to(folder)
            yield f"mkdir -p {below}; mount --bind {path} {below}"


def furnish(disk: Path, address: str) -> None:
    """The disk of a machine before `ray up`: an SSH server's files, and a Python environment that
    has this one's packages, since a copy would be gigabytes; but not this one's project."""
    home = disk / "home"
    (home / ".ssh").mkdir(parents=True, mode=0o700)
    (disk / "hidden").mkdir()
    (disk / "tmp").mkdir()
    (disk / "tmp").chmod(0o1777)
    generate_key(home / "host_key")
    (home / "sshd_config").write_text(SSHD_CONFIG.format(address=address, home=HOME))
    venv = [sys.executable, "-m", "venv", "--without-pip", str(home / "venv")]
    subprocess.run(venv, check=True)
    [packages] = (home / "venv" / "lib").glob("python*/site-packages")
    (packages / "shared.pth").write_text(sysconfig.get_path("purelib") + "\n")
    for name, line in SCRIPTS.items():
        path = home / "venv" / "bin" / name
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)


def generate_key(path: Path) -> str:
    """A new SSH key pair; returns its public half."""
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
    subprocess.run(words, check=True)
    return path.with_suffix(".pub").read_text()


@contextmanager
def hosts(
    switch: int, names: Sequence[str], disks: Path, *, checkout: Path
) -> Iterator[list[Host]]:
    """Machines, of which only the first has the checkout, and may log in to the others."""
    with ExitStack() as stack:
        made: list[Host] = []
        for number, name in enumerate(names, 2):
            shown, hidden = (None, checkout) if made else (checkout, None)
            machine = host(switch, name, number, disks / name, shown=shown, hidden=hidden)
            made.append(stack.enter_context(machine))
        public = generate_key(made[0].disk / "home" / ".ssh" / "id_ed25519")
        for other in made[1:]:
            (other.disk / "home" / ".ssh" / "authorized_keys").write_text(public)
        yield made
