"""This project against Ray Tune, Optuna and Syne Tune as their documentation writes a search.

    pip install -c constraints.txt -e '.[peers]'
    python -m benchmarks.against_peers DATA --out FILE.jsonl [--trials 8 64] [--repetitions 3]

DATA is a folder with `cifar10-jpeg` as Parquet. All train the same configurations of one space on
the same 4,000 images, are validated on the same 1,000, stop weak ones by successive halving with
the same rungs, and evaluate their best model on test (`benchmarks/peers/same_work.py`). They take
turns, each in a process of its own; the clock runs from its start until its user has the result:
imports, Ray, search, and for this project also the recipe and the best one trained again,
leaderboard and report. FILE gets a line for each turn; what it has already is not run again.
Nothing else should run on the machine.

Told are medians, and in brackets the least and the most: epochs trained per second of that time,
seconds to the first report and to the first trial that reaches an accuracy on validation, and the
most memory, which is the proportional set size summed over all processes, sampled every second.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.json_lines import add_line, read_lines
from benchmarks.peers.contest import write_arrays
from benchmarks.peers.same_work import EPOCHS, Configuration, Work, space
from benchmarks.peers.work_of_ours import build_job
from benchmarks.same_wall_time import count_once
from trainables.datasets import load_dataset

METHODS = {
    "ours": "benchmarks.peers.work_of_ours",
    "ray": "benchmarks.peers.work_of_ray_tune",
    "optuna": "benchmarks.peers.work_of_optuna",
    "syne_tune": "benchmarks.peers.work_of_syne_tune",
}
TRAIN_SIZE = 5_000
"""Images to train and to validate on."""

IMAGE_SIZE = 32
ACCURACIES = (0.4, 0.5, 0.6)

Result = dict[str, Any]


def prepare(dataset: str, cache: Path) -> Path:
    """Decode the images, count duplicates and write the arrays, before any clock runs."""
    images = load_dataset(dataset, data_dir=cache, image_size=IMAGE_SIZE, train_size=TRAIN_SIZE)
    count_once(images, cache)
    path = cache / "same-work.npz"
    write_arrays(images, path)
    return path


def draw_configurations(work: Work, trials: int) -> list[Configuration]:
    """Return what a run of ours with `--sampler random` tries: the recipe, then its draws."""
    import optuna

    from tune_jobs.engine.job_checks import check_job
    from tune_jobs.engine.search.samplers import build_sampler
    from tune_jobs.engine.stages.first import first_configurations, fit

    job = build_job(work)
    defaults = check_job(job, EPOCHS, None).defaults
    [recipe] = first_configurations(job, defaults)
    drawn: list[Configuration] = [fit(recipe, space, job.architecture, defaults).params]
    for number in range(1, trials):
        sampler = build_sampler("random", seed=work.seed, number=number, centre={})
        trial = optuna.create_study(sampler=sampler).ask()
        space(trial)
        drawn.append(trial.params)
    return drawn


def turns(
    methods: Sequence[str], trials: Sequence[int], repetitions: int
) -> Iterator[tuple[int, int, str]]:
    """Yield whose turn it is: the methods alternate, so that a slow hour is not one's alone."""
    for repetition in range(repetitions):
        for count in trials:
            for method in methods:
                yield count, repetition, method


def take(method: str, work: Work, python: str) -> Result | None:
    """Run a method in a process of its own; return its figures, `None` where it failed."""
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder) / "work.json"
        work.write(asked)
        # A thread that waits for another sleeps: spinning would cost a trial on all CPUs, as
        # Optuna's example has it, seven times the processor time where anything else runs.
        root = str(Path(__file__).parents[1])
        environment = {**os.environ, "OMP_WAIT_POLICY": "passive", "PYTHONPATH": root}
        began = time.time()
        process = subprocess.Popen(
            [python, "-m", METHODS[method], str(asked)], stdout=sys.stderr, env=environment
        )
        peak_bytes = watch_memory(process)
        if process.returncode:
            print(f"{method}: exit status {process.returncode}", flush=True)
            return None
        outcome: Result = json.loads(work.output.read_text())
    reports = [[r["at"] - began, r["val_accuracy"]] for r in outcome["reports"]]
    return {
        "wall_seconds": outcome["ended"] - began,
        "epochs": len(reports) + outcome["more_epochs"],
        "trials_reported": outcome["trials"],
        "peak_bytes": peak_bytes,
        "test_accuracy": outcome["test_accuracy"],
        "reports": sorted(reports),
    }


def watch_memory(process: "subprocess.Popen[bytes]", seconds: float = 1.0) -> int:
    """Wait for a process to end; return the most memory of it and all that it started."""
    done, peak_bytes = threading.Event(), 0

    def wait() -> None:
        process.wait()
        done.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    while not done.wait(seconds):
        peak_bytes = max(peak_bytes, sum(map(proportional_bytes, process_tree(process.pid))))
    waiting.join()
    return peak_bytes


def process_tree(root: int) -> list[int]:
    """Return a process and all that descend from it, by `/proc`."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):  # it has ended
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def proportional_bytes(pid: int) -> int:
    """Return a process's share of memory: pages that several have in common are divided."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(rollup.partition("Pss:")[2].split()[0]) * 1024 if "Pss:" in rollup else 0


def seconds_to(result: Result, accuracy: float) -> float:
    reached = (at for at, value in result["reports"] if value >= accuracy)
    return next(reached, float("inf"))


def spread(values: Sequence[float], digits: int = 1) -> str:
    least, middle, most = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({least:.{digits}f}-{most:.{digits}f})"


def summarise(results: Sequence[Result]) -> None:
    """Print a row for each number of trials and method, and ours against each other method."""
    by_pair: dict[tuple[int, str], dict[int, Result]] = {}
    for result in results:
        pair = by_pair.setdefault((result["trials"], result["method"]), {})
        pair[result["repetition"]] = result
    reached = " | ".join(f"to {accuracy}, s" for accuracy in ACCURACIES)
    print(f"\n| trials | method | epochs/s | epochs | first report, s | {reached} ", end="")
    print("| all, s | peak, MiB | test |")
    print("|---" * (8 + len(ACCURACIES)) + "|")
    for (trials, method), found in sorted(by_pair.items()):
        runs = list(found.values())
        cells = [
            spread([rate(run) for run in runs], 3),
            spread([run["epochs"] for run in runs], 0),
            spread([run["reports"][0][0] for run in runs]),
            *(spread([seconds_to(run, a) for run in runs]) for a in ACCURACIES),
            spread([run["wall_seconds"] for run in runs], 0),
            spread([run["peak_bytes"] / 2**20 for run in runs], 0),
            spread([run["test_accuracy"] for run in runs], 3),
        ]
        print(f"| {trials} | {method} | {' | '.join(cells)} |")
    print("\nepochs per second, ours / theirs, turn by turn:")
    for (trials, method), found in sorted(by_pair.items()):
        ours = by_pair.get((trials, "ours"), {})
        ratios = [rate(ours[n]) / rate(run) for n, run in found.items() if n in ours]
        if method != "ours" and ratios:
            print(f"  {trials} trials, {method}: {spread(ratios, 2)}, {len(ratios)} turns")


def rate(result: Result) -> float:
    return float(result["epochs"] / result["wall_seconds"])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    parser.add_argument("--trials", type=int, nargs="+", default=[8, 64])
    parser.add_argument("--repetitions", type=int, default=3, help="(default: 3)")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument(
        "--syne-tune-python", default=sys.executable, help="one that has syne-tune (default: this)"
    )
    given = parser.parse_args()
    dataset = f"parquet:{given.data.resolve()}/cifar10-jpeg"
    cache = Path(tempfile.gettempdir()) / "against-peers"
    arrays = prepare(dataset, cache)
    results = read_lines(given.out)
    known = {(r["trials"], r["repetition"], r["method"]) for r in results}
    for trials, repetition, method in turns(given.methods, given.trials, given.repetitions):
        if (trials, repetition, method) in known:
            continue
        work = Work(
            dataset=dataset,
            train_size=TRAIN_SIZE,
            image_size=IMAGE_SIZE,
            seed=repetition,
            configurations=(),
            workers=len(os.sched_getaffinity(0)),
            cache=cache,
            arrays=arrays,
            output=cache / "outcome.json",
        )
        work = replace(work, configurations=draw_configurations(work, trials))
        python = given.syne_tune_python if method == "syne_tune" else sys.executable
        figures = take(method, work, python)
        if figures is None:  # the next start tries it again
            continue
        result = {"trials": trials, "repetition": repetition, "method": method, **figures}
        results.append(result)
        add_line(given.out, result)
        print(json.dumps({**result, "reports": len(result["reports"])}), flush=True)
    summarise(results)


if __name__ == "__main__":
    main()
