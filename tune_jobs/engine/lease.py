"""One live process per run: a lock that ends with its process, however that ends."""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tune_jobs.engine.errors import RequestError


@contextmanager
def lease(path: Path, run_id: str) -> Iterator[None]:
    """Hold `path` for the time of a run; its content says who holds it.

    Raises:
        RequestError: Another process holds it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 1000).decode(errors="replace").strip() or "unknown"
            raise RequestError(
                f"--run-id = {run_id!r}: that run is alive ({holder}): wait for its end, stop it, "
                "or take another --run-id"
            ) from None
        holder = json.dumps({"host": socket.gethostname(), "pid": os.getpid()})
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, holder.encode(), 0)
        yield
    finally:
        os.close(descriptor)
