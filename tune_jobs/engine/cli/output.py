"""Output into a pipe whose reader has gone, as `head` goes: no traceback, and no silence."""

import io
import os
import select
import sys
from collections.abc import Callable
from typing import NoReturn, TextIO

from rich.console import Console

CLOSED = 141
"""The exit status by which shells name a process that SIGPIPE has ended."""


class OutputClosedError(Exception):
    """Nobody reads the output any more."""


class OutputConsole(Console):
    """Raises `OutputClosedError`, where rich's own ends the process with status 1 and no word."""

    def on_broken_pipe(self) -> NoReturn:
        self.quiet = True  # whoever closes what is open may print on the way
        raise OutputClosedError


def run_into_pipe(command: Callable[[], int]) -> int:
    """Run a command -> its exit status; `CLOSED` where nobody reads its output to the end, unless
    it has failed already. What argparse prints before it exits is a command's output too.

    What a terminal's encoding does not have, such as letters of a class's name, is escaped.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # a notebook's is none
        sys.stdout.reconfigure(errors="backslashreplace")  # as that of errors has it anyway
    try:
        status = _status_of(command)
        sys.stdout.flush()
    except OutputClosedError:
        status = CLOSED
    except BrokenPipeError:
        if all(map(_is_read, (sys.stdout, sys.stderr))):  # of another pipe, such as a worker's
            raise
        status = CLOSED
    for stream in (sys.stdout, sys.stderr):
        if not _is_read(stream):
            status = status or CLOSED
            drop_output(stream)
    return status


def drop_output(stream: TextIO) -> None:
    """Have what Python flushes at its end go nowhere, and not into an error that it prints."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _status_of(command: Callable[[], int]) -> int:
    try:
        return command()
    except SystemExit as end:
        if not isinstance(end.code, int):
            raise
        return end.code


def _is_read(stream: TextIO) -> bool:
    """Return whether a stream leads to a file or terminal, or into a pipe that has a reader."""
    watch = select.poll()
    try:
        watch.register(stream.fileno(), 0)
    except io.UnsupportedOperation:  # a notebook's, which has no file
        return True
    return not any(event & select.POLLERR for _, event in watch.poll(0))
