"""Start Ray here, or connect to a cluster that runs."""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal

from tune_jobs.engine.cluster.address import check_temporary_folder
from tune_jobs.engine.errors import RequestError

QUIET = {
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "TUNE_WARN_THRESHOLD_S": "60",
}
"""Settings by which Ray writes no files of its own beside the record, and says nothing that the
live view says."""

PATIENT = {"RAY_timeout_ms_task_wait_for_death_info": "60000"}
"""An internal setting of Ray's: wait up to 60 s for the report of what a process died of. Ray
notices a lost node only after ten seconds or more, and a node that is lost must not be taken for a
process that crashed."""

SPANS_MACHINES = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Whether Ray's processes are reached from other machines; on Windows and macOS it is off."""

NOT_NEEDED, LOG_MONITOR = ("start_monitor", "start_api_server"), "start_log_monitor"
"""Methods of Ray's `Node` that start processes which a local Ray does without."""

AHEAD = {
    "RAY_preload_python_modules": "torch,ray.tune",
    "RAY_idle_worker_killing_time_threshold_ms": "60000",
}
"""Internal settings of a local Ray's: the workers that it starts with itself import these modules,
while the driver still connects, and are kept for a minute. By default one is ended as soon as a
trial has reserved its CPU, if that is before the trial runs in it."""


@contextmanager
def ray_cluster(address: str | None, *, verbose: bool) -> Iterator[bool]:
    """Start or join Ray for the time of a run; yield whether it is this machine alone.

    The arguments and errors are those of `ray_starting`.
    """
    with ray_starting(address, verbose=verbose) as wait:
        yield wait()


@contextmanager
def ray_starting(address: str | None, *, verbose: bool) -> Iterator[Callable[[], bool]]:
    """Start Ray while the caller does something else, or join one; yield a function that waits
    until it runs, and returns whether it is this machine alone.

    A cluster is joined when the function is called, which takes a second, or minutes where it does
    not answer: a request that is refused until then does not wait for it. A Ray that was started
    here is stopped at the end; a process that is connected already keeps its connection. A local
    Ray listens on the loopback alone.

    Args:
        address: A running cluster; `None` is the one that `RAY_ADDRESS` names (`ray job submit`
            sets it), else a local one.
        verbose: Show what Ray says.

    Raises:
        RequestError: The cluster does not let this process in, or Ray's folder is full.
    """
    address = address or os.environ.get("RAY_ADDRESS")
    address = None if address == "local" else address
    for name, value in (QUIET | PATIENT | (AHEAD if address is None else {})).items():
        os.environ.setdefault(name, value)  # what the user has set stays
    import ray

    if ray.is_initialized():
        yield lambda: False
        return
    if address is None:
        with _starting_here(verbose=verbose) as wait:
            yield wait
        return
    try:
        yield partial(_join, address, verbose=verbose)
    finally:
        ray.shutdown()


@contextmanager
def _starting_here(*, verbose: bool) -> Iterator[Callable[[], bool]]:
    """Start Ray in a thread, and stop it there at the end; yield a function that waits until it
    runs, and returns `True`: it is this machine alone."""
    import ray

    started: Future[bool] = Future()
    over = threading.Event()

    def keep_ray() -> None:
        try:
            with _local(verbose=verbose):
                ray.init("local", include_dashboard=False, **_shown(verbose))
        except BaseException as error:  # the caller's, when it waits
            started.set_exception(error)
        else:
            started.set_result(True)
            over.wait()  # Linux ends Ray's processes with the thread that has started them
        ray.shutdown()

    thread = threading.Thread(target=keep_ray, name="ray", daemon=True)
    thread.start()
    try:
        yield started.result
    finally:
        over.set()
        thread.join()


def _join(address: str, *, verbose: bool) -> bool:
    """Connect to a cluster; return `False`: it is not this machine alone."""
    import ray

    with _refused(address):
        ray.init(address, **_shown(verbose))
    return False


def _shown(verbose: bool) -> dict[str, Any]:
    """Return the arguments of `ray.init` for what it shows."""
    return {
        "log_to_driver": verbose,
        "logging_level": logging.INFO if verbose else logging.ERROR,
    }


@contextmanager
def _local(*, verbose: bool) -> Iterator[None]:
    """Start Ray on the loopback alone, with the processes that a run needs; raise `RequestError`
    where its folder has become full."""
    try:
        with _loopback_alone(), _few_processes(with_logs=verbose):
            yield
    except Exception:  # Ray says that a process did not start, or a file did not come
        check_temporary_folder()
        raise


@contextmanager
def _loopback_alone() -> Iterator[None]:
    """Have a Ray that starts meanwhile listen on the loopback alone, as it does on macOS.

    Ray has no public option for that: `_node_ip_address="127.0.0.1"` is replaced by the address of
    the network interface. Its processes read the variable, and this one, which may have imported
    Ray long ago, the constant. Both are put back, for a cluster that is joined later.
    """
    from ray._private import ray_constants

    before = os.environ.get(SPANS_MACHINES), ray_constants.ENABLE_RAY_CLUSTER
    os.environ[SPANS_MACHINES], ray_constants.ENABLE_RAY_CLUSTER = "0", False
    try:
        yield
    finally:
        variable, ray_constants.ENABLE_RAY_CLUSTER = before
        if variable is None:
            del os.environ[SPANS_MACHINES]
        else:
            os.environ[SPANS_MACHINES] = variable


@contextmanager
def _few_processes(*, with_logs: bool) -> Iterator[None]:
    """Have a Ray that starts meanwhile leave out three processes: the autoscaler's monitor, the
    dashboard's server and, unless its logs are shown, the monitor of logs.

    Ray has no public option for that. Each imports for about half a second of CPU, before the
    workers that a run waits for do, and Ray waits for the server as it starts and as it ends.
    """
    from ray._private.node import Node

    names = NOT_NEEDED if with_logs else (*NOT_NEEDED, LOG_MONITOR)
    before = {name: getattr(Node, name) for name in names}
    for name in names:
        setattr(Node, name, _start_nothing)
    try:
        yield
    finally:
        for name, method in before.items():
            setattr(Node, name, method)


def _start_nothing(*_: Any, **__: Any) -> None: ...


@contextmanager
def _refused(address: str) -> Iterator[None]:
    """Raise `RequestError` where Ray cannot connect to what answers at the address."""
    try:
        yield
    except (ConnectionError, RuntimeError) as error:
        raise RequestError(
            f"--address (or RAY_ADDRESS) = {address!r}: it answers, and Ray cannot connect "
            f"({error}): if the cluster asks for its token, set RAY_AUTH_MODE=token and have the "
            "token in ~/.ray/auth_token or RAY_AUTH_TOKEN; else see that it runs this version of "
            "Ray and Python"
        ) from error


def gpus_per_worker(asked: float | Literal["auto"] | None) -> float:
    """Return a worker's GPUs: as asked for a trial, at most 1; unasked, 1 if there are any."""
    import ray

    if isinstance(asked, float):
        return min(asked, 1.0)
    return 1.0 if ray.cluster_resources().get("GPU", 0) > 0 else 0.0


def wait_for_worker(cpus: float, say: Callable[[str], None]) -> None:
    """Wait until a trial can have its CPUs: a cluster that scales with the work may have no worker
    yet, and starts one for the empty task that waits here."""
    import ray

    if ray.cluster_resources().get("CPU", 0) >= cpus:
        return
    say(f"waiting for a worker with {cpus:g} CPUs")
    ray.get(ray.remote(_nothing).options(num_cpus=cpus).remote())


def _nothing() -> None: ...
