"""Damage is seen, and writers at once lose nothing."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from tests.tune_jobs.engine.parts import write_part
from tune_jobs.engine.results.leaderboard import read_rows
from tune_jobs.engine.results.row import Row

MakeRow = Callable[..., Row]

ZSTD_MAGIC = bytes.fromhex("28b52ffd")


def test_sixty_flips_of_one_bit_in_column_data_are_all_detected(
    tmp_path: Path, make_row: MakeRow
) -> None:
    part = write_part([make_row(trial_number=n) for n in range(100)], tmp_path)
    content = part.read_bytes()
    group = pq.ParquetFile(part).metadata.row_group(0)
    places: list[int] = []
    for column in (group.column(i) for i in range(group.num_columns)):
        start = column.dictionary_page_offset or column.data_page_offset
        end = start + column.total_compressed_size
        places += range(content.rindex(ZSTD_MAGIC, start, end), end)  # the values' own page
    generator = np.random.default_rng(0)
    detected = 0
    for place in generator.choice(places, 60, replace=False):
        flipped = bytearray(content)
        flipped[place] ^= 1 << int(generator.integers(8))
        part.write_bytes(flipped)
        rows, warnings = read_rows(tmp_path)
        detected += not rows and str(part) in warnings[0]
    assert detected == 60


WRITER = """
import dataclasses, sys
from pathlib import Path
from trainables.storage import LocalStorage
from tune_jobs.engine.results.leaderboard import read_rows, write_rows
template, storage, writer = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
[row] = read_rows(template).rows
for number in range(200):
    write_rows([dataclasses.replace(row, run_id=f"{writer}-{number}")], LocalStorage(storage))
"""


def test_eight_writers_with_readers_lose_no_row_and_repeat_none(
    tmp_path: Path, make_row: MakeRow
) -> None:
    template, storage = write_part([make_row()], tmp_path / "template"), tmp_path / "storage"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(template), str(storage), str(n)])
        for n in range(8)
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
    assert [writer.returncode for writer in writers] == [0] * 8
    names = [row.run_id for row in read_rows(storage).rows]
    assert sorted(names) == sorted(f"{w}-{n}" for w in range(8) for n in range(200))
