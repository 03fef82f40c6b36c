"""What the leaderboards of two runs must share."""

from tests.faults.runs import Runs
from tune_jobs.engine.results.leaderboard import read_rows

OF_THE_SESSION = {
    *("run_id", "command", "finished_at", "git_commit", "git_clean"),
    "precision",  # its memory format is probed, which is a matter of time too
    *("train_seconds", "train_cpu_seconds", "train_gpu_seconds"),
    *("search_seconds", "search_cpu_seconds", "search_gpu_seconds"),
    *("latency_seconds", "throughput", "peak_host_bytes", "peak_device_bytes"),
}
"""Columns of time and cost, which no two runs share; the others are results, or what those depend
on."""


def differing(rows: list[dict[str, object]], others: list[dict[str, object]]) -> list[object]:
    """What two leaderboards tell differently: (row, column, one value, the other)."""
    if len(rows) != len(others):
        return [(len(rows), len(others))]
    return [
        (number, column, row[column], other[column])
        for number, (row, other) in enumerate(zip(rows, others, strict=True))
        for column in row
        if row[column] != other[column]
    ]


def results(runs: Runs) -> list[dict[str, object]]:
    rows, warnings = read_rows(runs.storage)
    assert not warnings
    return [
        {
            name: getattr(row, name)
            for name in row.__dataclass_fields__
            if name not in OF_THE_SESSION
        }
        for row in sorted(rows, key=lambda row: row.trial_number)
    ]
