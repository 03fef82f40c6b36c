"""Output into a pipe whose reader has gone, as `head` goes: no traceback, and no silence."""

import os
import sys
from collections.abc import Callable
from typing import NoReturn

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
    """Run a command -> its exit status, or `CLOSED` where nobody reads its output to the end."""
    try:
        try:
            return command()
        finally:
            sys.stdout.flush()
    except (BrokenPipeError, OutputClosedError):
        return close_output()


def close_output() -> int:
    """Have what Python flushes at its end go nowhere; return the exit status."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return CLOSED
