"""How long 10,000 rows of the leaderboard take to write and to read.

    python benchmarks/leaderboard_io.py [--rows 10000] [--per-run 100]

A part is a file of one run, written under a temporary name, synced, renamed; a read verifies the
checksums of every page and the digest of the rows.
"""

import argparse
import dataclasses
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from trainables.storage import open_storage
from tune_jobs.engine.results.leaderboard import read_rows, write_rows
from tune_jobs.engine.results.row import Row

ROW = Row(
    run_id="run",
    job="digits_cnn",
    dataset="digits",
    dataset_fingerprint="a" * 64,
    split_fingerprint="b" * 64,
    architecture="cnn",
    origin="search",
    trial_number=0,
    lr=1e-3,
    l2=1e-4,
    batch_size=64,
    dropout=None,
    optimizer="adam",
    schedule="cosine",
    epochs=10,
    config='{"lr": 0.001, "l2": 0.0001, "batch_size": 64}',
    num_parameters=12_345,
    search_val_accuracy=0.9,
    seeds=(1, 2, 3),
    val_accuracy=0.91,
    val_accuracy_per_seed=(0.9, 0.91, 0.92),
    winner=False,
    test_accuracy=0.93,
    test_accuracy_std=0.0141,
    test_accuracy_per_seed=(0.92, 0.93, 0.94),
    test_macro_f1=0.92,
    test_loss=0.3,
    num_seeds=3,
    num_trials=20,
    train_seconds=3.5,
    search_seconds=60.0,
    device="cpu",
    precision="fp32",
    git_commit=None,
    versions='{"python": "3.11"}',
    command="python -m tune_jobs.digits_cnn",
    finished_at=datetime(2026, 1, 2, tzinfo=UTC),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--per-run", type=int, default=100, help="rows of a run, in one part")
    given = parser.parse_args()
    for per_run in sorted({given.per_run, given.rows}):
        with tempfile.TemporaryDirectory() as storage:
            started = time.perf_counter()
            for first in range(0, given.rows, per_run):
                rows = [
                    dataclasses.replace(ROW, run_id=f"run-{first}", trial_number=n)
                    for n in range(per_run)
                ]
                write_rows(rows, open_storage(storage))
            written = time.perf_counter()
            found = read_rows(storage)
            read = time.perf_counter()
            size = sum(part.stat().st_size for part in Path(storage).rglob("*.parquet"))
        assert len(found.rows) == given.rows
        assert not found.warnings
        print(
            f"{given.rows:,} rows in {given.rows // per_run} parts: "
            f"write {written - started:.2f} s, read {read - written:.2f} s, {size / 1e6:.1f} MB"
        )


if __name__ == "__main__":
    main()
