"""Wall time of a search on a frozen network's cached features, against computing them each epoch.

    python -m benchmarks.cached_features [--dataset parquet:PATH] [--precision auto]

Both are whole runs of `stl10_mobilenet_frozen`'s system (features, search, retraining of one seed)
in one process on one Ray, one after the other: same data, space, trials, epochs and stopping rule.
The network's weights are random, which changes nothing in the time. Both train in fp32, in which
features are computed; with `--precision auto` the alternative's network may take bf16, faster where
the processor has it.
"""

import argparse
import dataclasses
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from searchspaces import mlp
from tune_jobs import engine
from tune_jobs.engine.cluster.start import ray_cluster
from tune_jobs.engine.job import Job
from tune_jobs.stl10_mobilenet_frozen import JOB

if TYPE_CHECKING:
    from optuna import Trial


def recomputing_space(trial: "Trial") -> dict[str, Any]:
    """The same head, on images augmented as the cached views are."""
    mlp.head_space(trial)
    return dict(JOB.features.config) if JOB.features else {}  # type: ignore[union-attr]


CACHED = dataclasses.replace(JOB, published=())
RECOMPUTED = dataclasses.replace(
    JOB,
    name="recomputed",
    architecture="benchmarks.frozen_every_epoch",
    features=None,
    space=recomputing_space,
    published=(),
)


def seconds(job: Job, folder: Path, **options: Any) -> tuple[float, int]:
    """Wall time of a run, and the epochs that its trials and retrainings took together."""
    started = time.perf_counter()
    result = engine.run(
        job,
        console=Console(quiet=True),
        weights="scratch",
        storage=folder,
        data_dir=folder / "data",
        retrain_top=1,
        retrain_seeds=1,
        **options,
    )
    elapsed = time.perf_counter() - started
    journal = Path(result.folder, "study.journal").read_text()
    return elapsed, journal.count('"user_attr":{"epoch_')


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--dataset", default="generated:96x96x3?images=3000")
    parser.add_argument("--train-size", type=int, default=1500)
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--precision", default="fp32")
    given = vars(parser.parse_args())
    with tempfile.TemporaryDirectory() as folder, ray_cluster(None, verbose=False):
        seconds(CACHED, Path(folder), **{**given, "trials": 1, "epochs": 1})  # decodes the images
        for file in (Path(folder) / "data" / "features").glob("*"):
            file.unlink()
        times = {}
        for name, job in (("cached", CACHED), ("recomputed", RECOMPUTED)):
            times[name], epochs = seconds(job, Path(folder), **given)
            print(f"{name:12}{times[name]:10.1f} s  {epochs} epochs", flush=True)
    print(f"ratio       {times['recomputed'] / times['cached']:10.1f}")


if __name__ == "__main__":
    main()
