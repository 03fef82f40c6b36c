"""This project against Ray Tune and Optuna as their documentation uses them, in equal wall time.

    python -m benchmarks.same_wall_time DATA --out FILE.jsonl [--seconds 240] [--seeds 0 1 2]

DATA is a folder with `cifar10-jpeg`, `flowers5` and `fruits-49` as Parquet; Fashion-MNIST is
Debian's (`dataset-fashion-mnist`), digits are scikit-learn's. Each method searches small CNNs on
each data set with each seed, in a process of its own, one after another; the clock runs from the
process's start to its end: imports, Ray, search, retraining and report are in it. FILE gets a line
for each; what it has already is not run again. `benchmarks/peers/` has the methods. Nothing else
should run on the machine.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.json_lines import add_line, read_lines
from benchmarks.peers.contest import DATA_SETS, Turn, load, write_arrays
from trainables.datasets import ImageData

METHODS = {
    "ours": "benchmarks.peers.ours",
    "ray": "benchmarks.peers.ray_tune",
    "optuna": "benchmarks.peers.optuna_alone",
}
OPTUNA_ON = ("digits", "fashion")

Result = dict[str, Any]


def prepare(names: Sequence[str], data: Path, cache: Path) -> None:
    """Decode every data set, count its duplicates and write its arrays, before any clock runs."""
    for name in names:
        images = load(name, data, cache)
        count_once(images, cache)
        write_arrays(images, cache / f"{name}.npz")


def count_once(images: ImageData, cache: Path) -> None:
    from tune_jobs.engine.prepare import count_duplicates

    count_duplicates(images, cache)


def turns(names: Sequence[str], methods: Sequence[str], seeds: Sequence[int]) -> Iterator[Result]:
    """Yield who is next: the methods alternate, so that a slow hour is not one's alone."""
    for seed in seeds:
        for name in names:
            for method in methods:
                if method != "optuna" or name in OPTUNA_ON:
                    yield {"set": name, "method": method, "seed": seed}


def take(turn: Result, seconds: float, data: Path, cache: Path) -> Result | None:
    """Run a method in a process of its own; return its line of the file, `None` where it failed."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "outcome.json"
        began = time.time()
        asked = Turn(
            name=turn["set"],
            seed=turn["seed"],
            deadline=began + seconds,
            data=data,
            cache=cache,
            output=output,
        )
        command = [sys.executable, "-m", METHODS[turn["method"]], *asked.arguments()]
        # A thread that waits for another sleeps: spinning costs one trial on all CPUs, as Optuna's
        # example has it, seven times the processor time where anything else runs.
        environment = {**os.environ, "OMP_WAIT_POLICY": "passive"}
        done = subprocess.run(command, stdout=sys.stderr, env=environment, check=False)
        wall = time.time() - began
        if done.returncode:
            print(f"{turn}: exit status {done.returncode} after {wall:.0f} s", flush=True)
            return None
        return {**turn, "seconds": seconds, "wall_seconds": wall, **json.loads(output.read_text())}


def summarise(results: Sequence[Result]) -> None:
    """Print a row for each data set and method, and ours against each other method: the winner,
    and the ensemble that is exported beside it."""
    by_pair: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        by_pair.setdefault((result["set"], result["method"]), []).append(result)
    print(
        "\n| data | method | test accuracy | ensemble | validation | trials | epochs | at chance "
        "| wall, s |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for (name, method), found in by_pair.items():
        tests = [result["test_accuracy"] for result in found]
        spread = f" ±{statistics.stdev(tests):.4f}" if len(tests) > 1 else ""
        ensemble = f"{mean_of_ensemble(found):.4f}" if method == "ours" else ""
        lost = sum(r["epochs_at_chance"] for r in found) / max(1, sum(r["epochs"] for r in found))
        print(
            f"| {name} | {method} | {statistics.fmean(tests):.4f}{spread} | {ensemble} "
            f"| {mean(found, 'val_accuracy'):.4f} | {mean(found, 'trials'):.0f} "
            f"| {mean(found, 'epochs'):.0f} | {lost:.0%} | {mean(found, 'wall_seconds'):.0f} |"
        )
    for rival in list(METHODS)[1:]:
        for shipped, accuracy in (("winner", mean_of_test), ("ensemble", mean_of_ensemble)):
            leads = [
                accuracy(by_pair[name, "ours"]) - mean_of_test(found)
                for (name, method), found in by_pair.items()
                if method == rival and (name, "ours") in by_pair
            ]
            if leads:
                each = ", ".join(f"{lead:+.4f}" for lead in leads)
                print(f"\nour {shipped} less {rival}: {each}; mean {statistics.fmean(leads):+.4f}")


def mean_of_test(results: Sequence[Result]) -> float:
    return mean(results, "test_accuracy")


def mean_of_ensemble(results: Sequence[Result]) -> float:
    """Return the mean of the ensembles' test accuracies; where a run has one model alone, it is
    that model's."""
    return statistics.fmean(
        result["more"].get("ensemble_test_accuracy") or result["test_accuracy"]
        for result in results
    )


def mean(results: Sequence[Result], key: str) -> float:
    return statistics.fmean(result[key] for result in results)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    parser.add_argument("--seconds", type=float, default=240.0, help="wall time (default: 240)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--sets", nargs="+", choices=DATA_SETS, default=list(DATA_SETS))
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    given = parser.parse_args()
    data = given.data.resolve()
    cache = Path(tempfile.gettempdir()) / "same-wall-time"
    prepare(given.sets, data, cache)
    results = read_lines(given.out)
    known = {(r["set"], r["method"], r["seed"], r["seconds"]) for r in results}
    for turn in turns(given.sets, given.methods, given.seeds):
        if (*turn.values(), given.seconds) in known:
            continue
        result = take(turn, given.seconds, data, cache)
        if result is None:  # the next start tries it again
            continue
        results.append(result)
        add_line(given.out, result)
        print(json.dumps(result), flush=True)
    summarise([r for r in results if r["seconds"] == given.seconds])


if __name__ == "__main__":
    main()
