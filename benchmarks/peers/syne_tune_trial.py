"""Train one trial, as Syne Tune starts it; see `work_of_syne_tune.py`."""

import argparse
from pathlib import Path

from syne_tune import Reporter

from benchmarks.peers.contest import Arrays
from benchmarks.peers.network import build_splits
from benchmarks.peers.training import train


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("filters_1", "filters_2", "filters_3", "dense_1", "batch_size"):
        parser.add_argument(f"--{name}", type=int)
    for name in ("dropout", "lr", "l2"):
        parser.add_argument(f"--{name}", type=float)
    parser.add_argument("--optimizer")
    parser.add_argument("--arrays", type=Path)
    parser.add_argument("--st_checkpoint_dir", type=Path)
    given = vars(parser.parse_args())
    folder = given["st_checkpoint_dir"]
    folder.mkdir(parents=True, exist_ok=True)
    splits = build_splits(Arrays.read(given["arrays"]), mirrored=True)
    report = Reporter()
    for epoch, accuracy in enumerate(train(given, splits, folder / "model.pt"), start=1):
        report(epoch=epoch, val_accuracy=accuracy)


if __name__ == "__main__":
    main()
