"""Measure every system of the five reports whose data is at hand, and rewrite docs/systems.md.

    chrt --idle 0 nice -n 19 make systems DATA=data

DATA is a folder that can be written, with `cifar10-jpeg`, `fruits-49` and `flowers5` (Parquet),
`aliens` (`train` and `validation`), `weights/mobilenet_v2_imagenet.pt`, perhaps `MNIST/raw`; links
will do. Downloads and decoded images go there too. What it lacks is told, and the others measured.
The same command goes on where it was interrupted; systems whose leaderboard is kept in
`benchmarks/results/systems/` are not run again. JOBs behind DATA are run alone, in one process.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks.systems.catalogue import SYSTEMS
from benchmarks.systems.measure import measure_all
from docs import generate


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("jobs", nargs="*", metavar="JOB")
    given = parser.parse_args()
    try:
        failed = measure_here(given.data, given.jobs) if given.jobs else measure_apart(given.data)
    except KeyboardInterrupt:
        print("interrupted: the same command goes on")
        return 130
    if failed:
        print(f"not measured: {', '.join(failed)}")
    return 1 if failed else 0


def measure_here(data: Path, jobs: list[str]) -> list[str]:
    """Measure some systems; return those that failed."""
    failed = []
    for system, succeeded in measure_all([s for s in SYSTEMS if s.job in jobs], data=data):
        failed += [] if succeeded else [system.job]
        generate.main()
    return failed


def measure_apart(data: Path) -> list[str]:
    """Measure each system in a process of its own: Ray ends the process where it starves."""
    command = [sys.executable, "-m", "benchmarks.systems", str(data)]
    return [
        system.job
        for system in SYSTEMS
        if subprocess.run([*command, system.job], check=False).returncode
    ]


if __name__ == "__main__":
    sys.exit(main())
