"""Maps a function over tasks in fresh Python processes that import nothing but what it needs.

`multiprocessing` starts its children with the parent's main module: a script without a
`__main__` guard would run again in each of them, and in a Ray worker each would import Ray.
These children are plain `python -c` at the other end of a pipe, and end when it closes.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing.connection import Connection, Pipe
from threading import Event, Lock
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

CHILD = (
    "import sys; from trainables.datasets.decoding.processes import serve; serve(int(sys.argv[1]))"
)


def map_in_processes(
    function: Callable[[Task], Result],
    tasks: Iterable[Task],
    receive: Callable[[Result], None],
    *,
    num_processes: int,
) -> None:
    """Give each result to `receive` as it comes; a task is drawn only when a process is free.

    Raises `RuntimeError` where a process ends early. An error of `tasks` or `receive` ends all.
    """
    remaining, lock, stopped = iter(tasks), Lock(), Event()

    def drive() -> None:
        with _child() as connection:
            while not stopped.is_set():
                with lock:
                    task = next(remaining, stopped)
                if task is stopped:
                    return
                connection.send((function, task))
                result = connection.recv()
                with lock:
                    receive(result)

    with ThreadPoolExecutor(num_processes) as threads:
        futures = [threads.submit(drive) for _ in range(num_processes)]
        try:
            for future in as_completed(futures):
                future.result()
        except BaseException:
            stopped.set()
            raise


def serve(descriptor: int) -> None:
    """Answer each (function, task) that comes from the parent, until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the parent's to handle
    connection = Connection(descriptor)
    while True:
        try:
            function, task = connection.recv()
        except (EOFError, ConnectionError):
            return
        connection.send(function(task))


@contextmanager
def _child() -> Iterator[Connection]:
    ours, theirs = Pipe()
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    process = subprocess.Popen(  # noqa: S603 (this Python, with a constant program)
        [sys.executable, "-c", CHILD, str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        env={**os.environ, **single, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    theirs.close()
    try:
        try:
            yield ours
        finally:
            ours.close()  # which ends the process
            process.wait()  # `with process` does not, after a KeyboardInterrupt
    except (EOFError, ConnectionError) as error:
        raise RuntimeError(
            f"a process that decodes images ended early (status {process.returncode}); "
            "perhaps memory ran out"
        ) from error
