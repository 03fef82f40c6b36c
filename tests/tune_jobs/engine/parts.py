"""The part that `write_rows` writes below a folder, as a file."""

from collections.abc import Sequence
from pathlib import Path

from trainables.storage import LocalStorage
from tune_jobs.engine.results.leaderboard import write_rows
from tune_jobs.engine.results.row import Row


def write_part(rows: Sequence[Row], storage: Path) -> Path:
    return Path(write_rows(rows, LocalStorage(storage)))
