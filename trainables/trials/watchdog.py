"""Ends a process whose trial makes no progress: Ray Tune cannot see a hang."""

import faulthandler
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from trainables.storage import LocalStorage, Storage

HANG_FILE = "hang.txt"
"""Where a trial's threads were when it was ended."""

REARM_SECONDS = 1.0


class Watchdog:
    """A timer that each sign of progress sets back; when it runs out, the process exits.

    It is faulthandler's, a thread in C, so that a hang inside a library that holds the
    interpreter's lock is seen too (https://docs.python.org/3/library/faulthandler.html).

    Args:
        seconds: Without progress; `None` never ends anything.
        place: The trial's; `HANG_FILE` in it then has the traceback. Where that is an object store,
            it stays on the node, in its folder for temporary files: a process that hangs cannot
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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file:
            faulthandler.cancel_dump_traceback_later()
            self._file.close()
            self._file = None
            self._path.unlink(missing_ok=True)

    def progress(self) -> None:
        """The trial is alive; cheap enough for every step."""
        if self._file and time.monotonic() - self._armed > REARM_SECONDS:
            self._arm()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """For the time that the trial waits for somebody else."""
        if self._file:
            faulthandler.cancel_dump_traceback_later()
        yield
        if self._file:
            self._arm()

    def _arm(self) -> None:
        assert self._seconds is not None
        assert self._file is not None
        self._armed = time.monotonic()
        faulthandler.dump_traceback_later(self._seconds, file=self._file, exit=True)
