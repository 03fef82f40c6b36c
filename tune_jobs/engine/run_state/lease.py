"""Allow one live process per run, by a lease that ends with its process, however that ends."""

import fcntl
import itertools
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from trainables.storage import LocalStorage, Storage, StorageError
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.run_state.periodic import repeating
from tune_jobs.engine.run_state.replaced import read_json

LEASE = "lease"
RENEW_SECONDS = 5.0
DEAD_AFTER_SECONDS = 20.0
"""A lease in an object store that is not renewed for this long is that of a dead process."""

SETTLE_SECONDS = 1.0
"""Two processes that take a lease at once both wait this long, then read whose it is."""


@contextmanager
def lease(place: Storage, run_id: str) -> Iterator[Callable[[], bool]]:
    """Hold the lease of the run at `place`; its content says who holds it. Yield what tells whether
    it is still held: in an object store a process that was out of reach too long has lost it.

    In a folder the lease is a lock of the kernel (flock), which ends with its process, also by
    SIGKILL. An object store has no locks: there the holder renews the lease, and a process that
    finds one waits to see whether that happens.

    Raises:
        RequestError: Another process holds the lease.
    """
    if isinstance(place, LocalStorage):
        with _locked(place.path / LEASE, run_id):
            yield lambda: True
    else:
        with _renewed(place, run_id) as is_held:
            yield is_held


@contextmanager
def _locked(path: Path, run_id: str) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _alive(run_id, os.read(descriptor, 1000)) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, _holder(), 0)  # for the error of a process that comes later
        yield  # the file stays: if it were removed, two processes could lock two files
    finally:
        os.close(descriptor)


@contextmanager
def _renewed(place: Storage, run_id: str) -> Iterator[Callable[[], bool]]:
    wait_for_end(place, run_id)
    own = uuid4().hex
    place.write(LEASE, _holder(token=own, renewed=0))
    time.sleep(SETTLE_SECONDS)
    if _token(place) != own:
        raise _alive(run_id, place.read(LEASE))
    counts = itertools.count(1)

    def is_held() -> bool:
        return _token(place) == own

    def renew() -> bool:
        if not is_held():  # this process was out of reach too long, and taken for dead
            print("--storage: another process took this run over", file=sys.stderr)
            os.kill(os.getpid(), signal.SIGTERM)  # an exception here would end this thread alone
            return False
        place.write(LEASE, _holder(token=own, renewed=next(counts)))
        return True

    try:
        with repeating(renew, RENEW_SECONDS):
            yield is_held
    finally:
        with suppress(StorageError):  # nobody renews the lease: that ends it too
            if is_held():
                place.remove(LEASE)


def wait_for_end(place: Storage, run_id: str) -> None:
    """Return once nobody renews the lease at `place`; raise `RequestError` if somebody does."""
    deadline = time.monotonic() + DEAD_AFTER_SECONDS
    first = now = _content(place)
    while now and time.monotonic() < deadline:
        time.sleep(1)
        now = _content(place)
        if now and now != first:
            raise _alive(run_id, now)


def _content(place: Storage) -> bytes:
    try:
        return place.read(LEASE)
    except FileNotFoundError:
        return b""


def _token(place: Storage) -> str | None:
    """Return whose the lease is; `None`: nobody's.

    Raises:
        StorageError: It cannot be read, or stays damaged.
    """
    try:
        token: str | None = read_json(place, LEASE).get("token")
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise StorageError(f"{place.child(LEASE).uri}: it is damaged") from error
    return token


def _holder(**more: str | int) -> bytes:
    return json.dumps({"host": socket.gethostname(), "pid": os.getpid(), **more}).encode()


def _alive(run_id: str, holder: bytes) -> RequestError:
    text = holder.decode(errors="replace").strip() or "unknown"
    return RequestError(
        f"--run-id = {run_id!r}: that run is alive ({text}): wait for its end, stop it, "
        "or take another --run-id"
    )
