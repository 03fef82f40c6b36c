"""How long a run takes beside its training: to its first report, and from its last one to the end.

    python -m benchmarks.start_and_finish [--repeats 5] [--runs short demo many] [--against PATH]

Each run is a command in a process of its own, with the data decoded, and is timed from outside, by
the lines that it prints:

- first report: from the command to the first epoch's metrics;
- leaderboard: from the end of the last retraining to the table;
- exit: from the table to the end of the command, in which the report is drawn;
- share: the seconds that the record has of training, by the wall time of the command and by slots.

With `--against` each repeat runs the other checkout's command too, the two alternating in who goes
first, and the ratios are of the two runs of a repeat. Nothing else should run on the machine.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tune_jobs.engine.record.study_storage import read_studies
from tune_jobs.engine.run_state.folder import open_place, run_folder

ROOT = Path(__file__).parents[1]

RUNS = {
    "short": ["tune_jobs.digits_cnn", "--trials", "3", "--epochs", "6"],
    "demo": ["tune_jobs.demo"],
    "many": ["tune_jobs.digits_cnn", "--trials", "64"],
}

FIRST_REPORT, RETRAINING, TABLE = "search: first report", "retrain-", "  # "
"""How the lines begin that are timed; the last one is the head of the leaderboard."""

Times = dict[str, float]


def take(words: Sequence[str], checkout: Path, data: Path) -> Times:
    """Run a command of a checkout; return its times in seconds, and its share of training."""
    with tempfile.TemporaryDirectory(prefix="runs-") as storage:
        folders = ["--storage", storage, "--data-dir", str(data)]
        began = time.monotonic()
        command = subprocess.Popen(
            [sys.executable, "-m", *words, *folders],
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": str(checkout)},
            stdout=subprocess.PIPE,
            text=True,
        )
        first, last, table = (float("nan"),) * 3
        assert command.stdout
        for line in command.stdout:
            now = time.monotonic() - began
            if line.startswith(FIRST_REPORT):
                first = now
            elif line.startswith(RETRAINING):
                last = now
            elif line.startswith(TABLE):
                table = now
        if command.wait():
            raise SystemExit(f"{' '.join(words)}: exit status {command.returncode}")
        wall = time.monotonic() - began
        trained, slots = read_training(Path(storage))
    return {
        "first report": first,
        "leaderboard": table - last,
        "exit": wall - table,
        "wall": wall,
        "share": trained / (wall * slots),
    }


def read_training(storage: Path) -> tuple[float, int]:
    """Return the seconds of all epochs of the one run, and its number of slots."""
    [place] = storage.glob("runs/*/*")
    with run_folder(open_place(place)) as folder:
        info = folder.read_info()
        assert info
        assert info.resources
        with read_studies(folder, info) as studies:
            seconds = sum(
                epoch["seconds"]
                for study in studies
                for trial in study.get_trials(deepcopy=False)
                for name, epoch in trial.user_attrs.items()
                if name.startswith("epoch_")
            )
    cpus = len(os.sched_getaffinity(0))
    return seconds, max(1, int(cpus / info.resources.per_trial["CPU"]))


def measure(
    words: Sequence[str], checkouts: Sequence[Path], data: Sequence[Path], repeats: int
) -> list[list[Times]]:
    """Return the times of each repeat, a list by checkout; a first run of each is not counted."""
    found = []
    for repeat in range(repeats + 1):
        order = range(len(checkouts)) if repeat % 2 else reversed(range(len(checkouts)))
        times = {number: take(words, checkouts[number], data[number]) for number in order}
        if repeat:
            found.append([times[number] for number in range(len(checkouts))])
    return found


def row(name: str, values: Sequence[float]) -> str:
    cells = statistics.median(values), min(values), max(values)
    return f"{name:28}" + "".join(f"{cell:10.2f}" for cell in cells)


def show(run: str, found: Sequence[Sequence[Times]]) -> None:
    """Print a run's median, minimum and maximum of each figure, by checkout, and the ratios."""
    print(f"\n{run:28}{'median':>10}{'min':>10}{'max':>10}")
    for name in found[0][0]:
        ours = [times[0][name] for times in found]
        print(row(name, ours))
        if len(found[0]) > 1:
            theirs = [times[1][name] for times in found]
            print(row(f"  against: {name}", theirs))
            print(row("  ratio", [a / b for a, b in zip(ours, theirs, strict=True)]), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5, help="runs counted (default: 5)")
    parser.add_argument("--runs", nargs="+", choices=RUNS, default=list(RUNS))
    parser.add_argument("--against", type=Path, metavar="PATH", help="another checkout")
    given = parser.parse_args()
    checkouts = [ROOT, *([given.against.resolve()] if given.against else [])]
    with tempfile.TemporaryDirectory(prefix="data-") as scratch:
        data = [Path(scratch, str(number)) for number in range(len(checkouts))]
        for name in given.runs:
            show(name, measure(RUNS[name], checkouts, data, given.repeats))


if __name__ == "__main__":
    main()
