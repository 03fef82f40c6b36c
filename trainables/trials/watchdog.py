"""End a process whose trial makes no progress, since Ray Tune cannot see a hang."""

import faulthandler
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Self

from trainables.storage import LocalStorage, Storage

HANG_FILE = "hang.txt"
"""The file that says where a trial's threads were when the watchdog ended it."""

REARM_SECONDS = 1.0
"""The timer is set back at most this often: faulthandler starts a thread each time, which is too
much for every step."""


class Watchdog:
    """Ends the process when a timer runs out that each sign of progress sets back.

    The timer is faulthandler's, a thread in C, so that a hang inside a library that holds the
    interpreter's lock is seen too (https://docs.python.org/3/library/faulthandler.html).

    Args:
        seconds: The time without progress after which the process ends; `None` never ends it.
        place: The trial's place; `HANG_FILE` in it then has the traceback. For an object store the
            file stays on the node, in its folder for temporary files: a process that hangs cannot
            send it.
    """

    def __init__(self, seconds: float | None, place: Storage) -> None:
        self._seconds = seconds
        if isinstance(place, LocalStorage):
            self._path = place.path / HANG_FILE
        else:
            self._path = Path(tempfile.gettempdir()) / f"tune-jobs-{os.getpid()}-{HANG_FILE}"
        self._file: IO[str] | None = None
        self._armed = 0.0

    def __enter__(self) -> Self:
        if self._seconds is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("w")
            self._arm()
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            faulthandler.cancel_dump_traceback_later()
            self._file.close()
            self._file = None
            self._path.unlink(missing_ok=True)

    def progress(self) -> None:
        """Set the timer back, since the trial is alive; this is cheap enough for every step."""
        if self._file and time.monotonic() - self._armed > REARM_SECONDS:
            self._arm()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the timer while the trial waits for somebody else."""
        if self._file:
            faulthandler.cancel_dump_traceback_later()
        yield  # an exception ends the trial: the timer then stays off
        if self._file:
            self._arm()

    def _arm(self) -> None:
        assert self._seconds is not None
        assert self._file is not None
        self._armed = time.monotonic()
        # faulthandler writes by the file's descriptor, so the file stays open while it is armed.
        faulthandler.dump_traceback_later(self._seconds, file=self._file, exit=True)
