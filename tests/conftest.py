"""What tests of several packages need."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from moto.server import ThreadedMotoServer

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"}


@pytest.fixture(scope="session")
def s3_server() -> Iterator["ThreadedMotoServer"]:
    """A real S3 server, which is started here; one that is stopped starts again where it was, with
    what it had."""
    from moto.server import ThreadedMotoServer

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = ThreadedMotoServer("127.0.0.1", port=port, verbose=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def bucket(s3_server: "ThreadedMotoServer") -> Iterator[str]:
    """A bucket of it -> the URI of a prefix in it."""
    from pyarrow.fs import S3FileSystem

    host, port = s3_server.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        for name, value in CREDENTIALS.items():
            environment.setenv(name, value)
        address = f"{host}:{port}"
        store = S3FileSystem(endpoint_override=address, scheme="http", allow_bucket_creation=True)
        store.create_dir("bucket")
        yield f"s3://bucket/runs?endpoint_override={address}&scheme=http"


POSTGRES = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
"""Debian's package puts nothing but clients on the path."""


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """A PostgreSQL server of the tests' own, which wants a password -> the URL of a database.

    The password is in the environment (`PGPASSWORD`), as a user would give it.
    """
    if POSTGRES is None:
        pytest.skip("NO DATABASE WAS TESTED: PostgreSQL is not installed (Debian: postgresql)")
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    as_user = as_user if os.getuid() == 0 else []  # it refuses to run as root
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    (folder / "password").write_text("not-in-any-file")
    if as_user:
        for path in (folder, folder / "password"):
            shutil.chown(path, "postgres", "postgres")

    def run(program: str, *words: str) -> None:
        data = ["-D", str(folder / "data")]
        command = [*as_user, str(POSTGRES / program), *data, *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)

    own = ("--auth=scram-sha-256", "--username=tester", f"--pwfile={folder / 'password'}")
    run("initdb", *own, "--no-sync")
    listen = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder}"
    run("pg_ctl", "--wait", "start", "-l", str(folder / "log"), "-o", listen)
    try:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("PGPASSWORD", "not-in-any-file")
            yield f"postgresql://tester@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "--wait", "stop", "--mode=immediate")
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def one_ray() -> Iterator[str]:
    """One Ray for all tests that do not test how a run starts and stops its own -> its address.

    This process is connected to it, and its workers may use the S3 server.
    """
    import ray

    from tune_jobs.engine.cluster.start import ray_cluster

    with pytest.MonkeyPatch.context() as environment:
        for name, value in CREDENTIALS.items():
            environment.setenv(name, value)
        with ray_cluster(None, verbose=False):
            yield ray.get_runtime_context().gcs_address


@pytest.fixture(scope="module")
def on_one_ray(one_ray: str) -> Iterator[None]:
    """For a module's tests: commands that they start find it too, on the loopback as it is."""
    from tune_jobs.engine.cluster.start import SPANS_MACHINES

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_ADDRESS", one_ray)
        environment.setenv(SPANS_MACHINES, "0")
        yield
