"""Check where Ray will run before anything is loaded: it would try for minutes, or end in a trace.

Ray is imported only where a cluster is looked for; a local one is imported as it starts.
"""

import os
import socket
import sys
import tempfile
from pathlib import Path

from tune_jobs.engine.errors import RequestError

ANSWER_SECONDS = 5
"""A connection to the cluster's address may take this long."""

SUBMIT = "ray job submit --address http://127.0.0.1:8265 --working-dir . -- python -m tune_jobs ..."
"""The command from outside a cluster. Nodes must reach the driver as it reaches them, so the driver
runs on the cluster, as a job. The address is that of the dashboard, which `ray dashboard` forwards
to this machine."""

SOCKET_BYTES = 107 if sys.platform == "linux" else 103
"""The longest path that the kernel takes for a socket."""


def check_address(address: str | None) -> str:
    """Check that Ray can start here, or that something answers at the cluster's address.

    Args:
        address: As `--address` takes it; `None` is what `RAY_ADDRESS` names, else a local Ray.

    Returns:
        The address, or `local`.

    Raises:
        RequestError: Nothing answers, the address is malformed, or this machine has no place for
            what Ray keeps.
    """
    asked = f"--address = {address!r}"
    if address is None and (address := os.environ.get("RAY_ADDRESS")):
        asked = f"RAY_ADDRESS = {address!r}"
    if address in (None, "local"):
        check_temporary_folder()
        check_home()
        return "local"
    found = _find_running(asked) if address == "auto" else address
    host, _, port = found.rpartition(":")
    if "://" in found or not host or not port.isdecimal():
        raise RequestError(
            f"{asked}: must be auto, local or HOST:PORT, as seen on a machine of the cluster; from "
            f"outside: {SUBMIT}"
        )
    try:
        socket.create_connection((host, int(port)), ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:  # a port above 65535 overflows
        raise RequestError(
            f"{asked}: nothing answers at {found} ({error}): start the cluster (`ray up`), leave "
            f"it out or unset to run on this machine, or if it can be reached by SSH only: {SUBMIT}"
        ) from error
    return found


def _find_running(asked: str) -> str:
    """Return the HOST:PORT of the Ray that runs on this machine, as Ray itself finds it."""
    from ray._private.services import canonicalize_bootstrap_address

    try:
        found: str | None = canonicalize_bootstrap_address("auto")
    except (ConnectionError, ValueError) as error:
        raise RequestError(
            f"{asked}: no Ray runs on this machine: start one (`ray start --head`), give its "
            "HOST:PORT, or leave the option out: a run then starts its own"
        ) from error
    return found or "local"


def check_temporary_folder() -> None:
    """Check the folder in which a local Ray keeps its sockets and logs.

    Raises:
        RequestError: It cannot be written, or its path is longer than sockets may have.
    """
    names = ("RAY_TMPDIR", "TMPDIR") if sys.platform == "linux" else ("RAY_TMPDIR",)
    name = next(filter(os.environ.get, names), "TMPDIR")
    folder = Path(os.environ.get(name) or "/tmp")  # noqa: S108 (where Ray puts it)
    asked = f"{name} = {str(folder)!r}"
    session = f"session_2026-01-31_12-59-59_999999_{os.getpid()}"  # Ray has the time and the pid
    longest = folder.absolute() / "ray" / session / "sockets" / "plasma_store"
    length = len(os.fsencode(longest))
    if length > SOCKET_BYTES:
        raise RequestError(
            f"{asked}: it is too long by {length - SOCKET_BYTES} bytes for the sockets that Ray "
            "makes below it: set RAY_TMPDIR to a shorter folder of yours, such as /tmp"
        )
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"there is room")
    except OSError as error:
        raise RequestError(
            f"{asked}: the folder of temporary files cannot be written ({error.strerror}): make "
            "room there, or set TMPDIR to another folder of yours with a short path"
        ) from error


def check_home() -> None:
    """Check that Ray can keep its token where it looks for it, `~/.ray`.

    Raises:
        RequestError: There is no token yet, and none can be written.
    """
    given = ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
    folder = Path.home() / ".ray"
    if any(os.environ.get(name) for name in given) or (folder / "auth_token").is_file():
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"there is room")
    except OSError as error:
        raise RequestError(
            f"HOME = {str(Path.home())!r}: Ray cannot write its token to {folder} "
            f"({error.strerror}): set HOME to a folder of yours, or RAY_AUTH_TOKEN to a secret"
        ) from error
