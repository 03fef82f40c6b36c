"""`auto` against jobs of one architecture, each with the same wall time.

    python -m benchmarks.auto_against_jobs DATA --out FILE.jsonl [--seconds 300] [--seeds 0]

DATA has `cifar10-jpeg`, `flowers5`, `fruits-49` as Parquet, the folder `aliens`, and ImageNet's
MobileNetV2 as `weights/mobilenet_v2_imagenet.pt`; Fashion-MNIST is Debian's, digits are
scikit-learn's. Each command is what a user types, in a process of its own, one after another:
`auto` with all its architectures, then a CNN, a head on the frozen network, and an SVM on HOG
alone. FILE gets a line for each; what it has already is not run again. Nothing else should run on
the machine.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.fruits import write_blocks
from benchmarks.json_lines import add_line, read_lines
from benchmarks.peers.contest import DATA_SETS
from benchmarks.recorded import read_trials
from tune_jobs.engine.results.leaderboard import read_rows
from tune_jobs.engine.results.row import Row

ARCHITECTURES = {
    "auto": None,
    "cnn": "cnn",
    "frozen": "logistic_regression",
    "hog": "svm",
}
"""Each command, and what it gives `--architectures`."""

STARTS_FROM_WEIGHTS = ("auto", "frozen")
"""Weights that nothing of a search starts from are refused."""

REFUSED = 2
"""The exit status of a request that cannot be kept, such as features that take longer than the time
budget."""

CLOSE = 0.02
"""What is within two points of the final model."""

Result = dict[str, Any]


def source_of(name: str, data: Path, derived: Path) -> tuple[str, int | None]:
    """Return a data set as `--dataset` takes it, at its own size, and its `--train-size`."""
    if name == "aliens":
        return f"folder:{data}/aliens", None
    write_blocks(data, derived)
    wanted = DATA_SETS[name]
    return wanted.spec(data, derived), wanted.train_size


def measure(name: str, method: str, seed: int, seconds: float, data: Path) -> Result:
    """Run a command; return its line of the file.

    Raises:
        subprocess.CalledProcessError: The command failed.
    """
    source, train_size = source_of(name, data, Path(tempfile.gettempdir()))
    began = time.time()
    with tempfile.TemporaryDirectory() as storage:
        options = {
            "--dataset": source,
            "--data-dir": f"{storage}/data",  # decoding counts
            "--time-budget": f"{seconds:g}s",
            "--seed": str(seed),
            "--storage": storage,
            "--run-id": "contest",
        }
        if method in STARTS_FROM_WEIGHTS:
            options["--weights"] = str(data / "weights" / "mobilenet_v2_imagenet.pt")
        if train_size:
            options["--train-size"] = str(train_size)
        if architectures := ARCHITECTURES[method]:
            options["--architectures"] = architectures
        given = [word for pair in options.items() for word in pair]
        command = [sys.executable, "-m", "tune_jobs.auto", "--allow-duplicates", *given]
        turn = {"set": name, "method": method, "seed": seed, "seconds": seconds}
        cpu = torch.backends.cpu.get_cpu_capability()
        done = subprocess.run(command, stdout=sys.stderr, check=False)
        wall = time.time() - began
        if done.returncode == REFUSED:
            return {**turn, "cpu": cpu, "wall_seconds": wall, "architecture": None}
        done.check_returncode()
        rows = read_rows(f"{storage}/leaderboards").rows
        [winner] = [row for row in rows if row.winner]
        return {
            **turn,
            "cpu": cpu,
            "wall_seconds": wall,
            **told(winner),
            "ensemble": [told(row) for row in rows if row.ensemble],
            "seconds_to_close": seconds_to_close(f"{storage}/runs/auto/contest", winner, began),
        }


def told(row: Row) -> Result:
    return {
        "architecture": row.architecture,
        "test_accuracy": row.test_accuracy,
        "test_accuracy_low": row.test_accuracy_low,
        "test_accuracy_high": row.test_accuracy_high,
        "val_accuracy": row.val_accuracy,
    }


def seconds_to_close(folder: str, winner: Row, began: float) -> float | None:
    """Return when the first trial ended whose validation accuracy is within two points of the
    winner's, in seconds from the command's start."""
    search, retrain = read_trials(folder)
    close = [
        trial.frozen.datetime_complete
        for trial in (*search, *retrain)
        if trial.last and trial.last.val_accuracy >= (winner.val_accuracy or 0.0) - CLOSE
    ]
    ended = [moment.timestamp() for moment in close if moment]
    return min(ended) - began if ended else None


def turns(names: Sequence[str], methods: Sequence[str], seeds: Sequence[int]) -> Iterator[Result]:
    for seed in seeds:
        for name in names:
            for method in methods:
                yield {"set": name, "method": method, "seed": seed}


def summarise(results: Sequence[Result]) -> None:
    print(
        "\n| data | command | winner | test accuracy (95 % interval) | ensemble | close after, s |"
    )
    print("|---|---|---|---|---|---|")
    for found in results:
        if found["architecture"] is None:
            print(f"| {found['set']} | {found['method']} | refused | | | |")
            continue
        low, high = found["test_accuracy_low"], found["test_accuracy_high"]
        ensemble = ", ".join(f"{row['test_accuracy']:.4f}" for row in found["ensemble"])
        close = found["seconds_to_close"]
        print(
            f"| {found['set']} | {found['method']} | {found['architecture']} "
            f"| {found['test_accuracy']:.4f} ({low:.4f} to {high:.4f}) "
            f"| {ensemble} | {close and round(close)} |"
        )


def main() -> None:
    names = ["aliens", *DATA_SETS]
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    parser.add_argument("--seconds", type=float, default=300.0, help="wall time (default: 300)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--sets", nargs="+", choices=names, default=names)
    parser.add_argument("--methods", nargs="+", choices=ARCHITECTURES, default=list(ARCHITECTURES))
    given = parser.parse_args()
    data = given.data.resolve()
    results = read_lines(given.out)
    known = {(r["set"], r["method"], r["seed"], r["seconds"]) for r in results}
    for turn in turns(given.sets, given.methods, given.seeds):
        if (*turn.values(), given.seconds) in known:
            continue
        result = measure(turn["set"], turn["method"], turn["seed"], given.seconds, data)
        results.append(result)
        add_line(given.out, result)
        print(json.dumps(result), flush=True)
    summarise([r for r in results if r["seconds"] == given.seconds])


if __name__ == "__main__":
    main()
