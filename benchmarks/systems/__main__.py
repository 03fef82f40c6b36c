"""Measure every system of the five reports whose data is at hand, and rewrite docs/systems.md.

    chrt --idle 0 nice -n 19 make systems DATA=data

DATA is a folder that can be written, with `cifar10-jpeg`, `fruits-49` and `flowers5` (Parquet),
`aliens` (`train` and `validation`), `weights/mobilenet_v2_imagenet.pt`, perhaps `MNIST/raw`; links
will do. Downloads and decoded images go there too. What it lacks is told, and the others measured.
The same command goes on where it was interrupted; systems whose leaderboard is kept in
`benchmarks/results/systems/` are not run again.
"""

import argparse
import sys
from pathlib import Path

from benchmarks.systems.catalogue import SYSTEMS
from benchmarks.systems.measure import measure_all
from docs import generate


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, metavar="DATA")
    given = parser.parse_args()
    failed = []
    try:
        for system, succeeded in measure_all(SYSTEMS, data=given.data):
            failed += [] if succeeded else [system.job]
            generate.main()
    except KeyboardInterrupt:
        print("interrupted: the same command goes on")
        return 130
    if failed:
        print(f"not measured: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
