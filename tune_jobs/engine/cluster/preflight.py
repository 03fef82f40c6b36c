"""Check what must hold on a cluster before a run begins, by small tasks, one on each node."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from trainables.storage import Storage
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.run_state.provenance import versions

SHARED = "give a folder that all nodes mount and may write, or a bucket (s3://...)"


def check_token() -> str:
    """Check that this process has the cluster's token, and that nobody else here may read it.

    The places to look are Ray's own: https://docs.ray.io/en/latest/ray-security/token-auth.html

    Returns:
        The place of the token, in words.

    Raises:
        RequestError: There is no token, or others may read it.
    """
    if os.environ.get("RAY_AUTH_MODE") != "token":
        return "not used, since RAY_AUTH_MODE is not 'token': whoever reaches a port owns the nodes"
    if os.environ.get("RAY_AUTH_TOKEN"):
        return "in RAY_AUTH_TOKEN"
    file = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    if not file.is_file():
        raise RequestError(
            f"there is none at {file}: copy the cluster's, or make one before `ray up`: "
            "ray get-auth-token --generate"
        )
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & 0o077:
        raise RequestError(f"others may read {file} (mode {mode:04o}): chmod 600 {file}")
    return str(file)


def check_versions() -> str:
    """Check that every node has the driver's versions; return these in words.

    Raises:
        RequestError: A node has others; the message lists all differences.
    """
    own = versions()
    problems = []
    for node, found in on_every_node(versions):
        if isinstance(found, Exception):
            problems.append(f"{node} cannot run this project: {_last_line(found)}")
            continue
        problems += [
            f"{node} has {name} {found.get(name, 'missing')}, the driver {version}"
            for name, version in own.items()
            if found.get(name) != version
        ]
    if problems:
        raise RequestError(
            "\n".join([*problems, "install with `-c constraints.txt` on every node (`ray up`)"])
        )
    return ", ".join(f"{name} {own[name]}" for name in ("python", "ray", "torch", "tune-jobs"))


def check_storage(storage: Storage) -> str:
    """Check that all nodes write to the storage and read each other's files; say so in words.

    Raises:
        RequestError: A node cannot write or read, or the nodes see different files.
    """
    mark = f".check-{uuid4().hex[:8]}-"
    try:
        written = _outcomes(storage, "written", on_every_node(_write, storage, mark))
        names = [name for _, name in written]
        wrote = {name: node for node, name in written}
        for node, missing in _outcomes(storage, "read", on_every_node(_miss, storage, names)):
            for name in missing:
                raise RequestError(
                    f"--storage = {storage.uri!r}: the nodes do not share it: {node} does not see "
                    f"what {wrote[name]} wrote: {SHARED}"
                )
    finally:
        for _ in on_every_node(_remove, storage, mark):
            pass
    return f"{storage.uri}: {len(names)} nodes write to it and read what the others wrote"


def num_nodes() -> int:
    return sum(node["Alive"] for node in ray.nodes())


def on_every_node(function: Callable[..., Any], *arguments: Any) -> Iterator[tuple[str, Any]]:
    """Call a function on all nodes at once; yield each node in words, and what the call returned
    or raised. A node that is lost meanwhile is left out."""
    task = ray.remote(function)
    pending = []
    for node in ray.nodes():
        if node["Alive"]:
            here = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            call = task.options(num_cpus=0, scheduling_strategy=here)  # a busy node answers too
            words = f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})"
            pending.append((words, call.remote(*arguments)))
    for words, reference in pending:
        try:
            yield words, ray.get(reference)
        except RayTaskError as error:
            yield words, error.cause if isinstance(error.cause, Exception) else error
        except RayError:
            continue


def _outcomes(
    storage: Storage, verb: str, outcomes: Iterator[tuple[str, Any]]
) -> list[tuple[str, Any]]:
    found = []
    for node, outcome in outcomes:
        if isinstance(outcome, Exception):
            raise RequestError(
                f"--storage = {storage.uri!r}: it cannot be {verb} on {node}: "
                f"{_last_line(outcome)}: {SHARED}"
            )
        found.append((node, outcome))
    return found


def _write(storage: Storage, mark: str) -> str:
    name: str = mark + ray.get_runtime_context().get_node_id()
    storage.write(name, name.encode())
    return name


def _miss(storage: Storage, names: list[str]) -> list[str]:
    """Return those of `names` that cannot be read here."""
    missing = []
    for name in names:
        try:
            content = storage.read(name)
        except FileNotFoundError:
            content = b""
        if content != name.encode():
            missing.append(name)
    return missing


def _remove(storage: Storage, mark: str) -> None:
    with suppress(OSError):  # where it could not be written either
        storage.remove(mark + ray.get_runtime_context().get_node_id())


def _last_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1]}" if lines else type(error).__name__
