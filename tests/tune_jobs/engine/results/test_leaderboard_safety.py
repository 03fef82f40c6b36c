"""Writers at once lose nothing."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.tune_jobs.engine.parts import write_part
from tune_jobs.engine.results.leaderboard import read_rows
from tune_jobs.engine.results.row import Row

MakeRow = Callable[..., Row]

WRITER = """
import dataclasses, sys
from pathlib import Path
from trainables.storage import LocalStorage
from tune_jobs.engine.results.leaderboard import read_rows, write_rows
template, storage, writer = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
[row] = read_rows(template).rows
for number in range(100):
    write_rows([dataclasses.replace(row, run_id=f"{writer}-{number}")], LocalStorage(storage))
"""


def test_three_writers_with_readers_lose_no_row_and_repeat_none(
    tmp_path: Path, make_row: MakeRow
) -> None:
    template, storage = write_part([make_row()], tmp_path / "template"), tmp_path / "storage"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(template), str(storage), str(n)])
        for n in range(3)
    ]
    seen: set[str] = set()
    while any(writer.poll() is None for writer in writers):
        rows, warnings = read_rows(storage)
        names = [row.run_id for row in rows]
        assert warnings == []
        assert len(names) == len(set(names))
        assert seen <= set(names)
        assert all(row == make_row(run_id=row.run_id) for row in rows)
        seen = set(names)
        time.sleep(0.2)
    assert [writer.returncode for writer in writers] == [0] * 3
    names = [row.run_id for row in read_rows(storage).rows]
    assert sorted(names) == sorted(f"{w}-{n}" for w in range(3) for n in range(100))
