"""The work as Ray Tune's documentation writes it; started by `benchmarks/against_peers.py`.

As `ray_tune.py`, with the trials given and processes reused:

- https://docs.ray.io/en/latest/tune/examples/tune-pytorch-cifar.html
- https://docs.ray.io/en/latest/tune/api/doc/ray.tune.search.basic_variant.BasicVariantGenerator.html
- https://docs.ray.io/en/latest/tune/api/doc/ray.tune.TuneConfig.html (`reuse_actors`)
"""

import tempfile
import time
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.basic_variant import BasicVariantGenerator

from benchmarks.peers.network import Splits, build_splits, build_test, evaluate
from benchmarks.peers.same_work import (
    EPOCHS,
    GRACE_PERIOD,
    REDUCTION_FACTOR,
    Outcome,
    Report,
    read_work,
)
from benchmarks.peers.training import load, train

SPACE = {
    "filters_1": tune.choice([16, 32, 48]),
    "filters_2": tune.choice([32, 64, 96]),
    "filters_3": tune.choice([0, 64, 96, 128]),
    "dense_1": tune.choice([64, 128, 256]),
    "dropout": tune.uniform(0.0, 0.5),
    "optimizer": tune.choice(["sgd", "adam"]),
    "lr": tune.loguniform(1e-4, 1e-1),
    "l2": tune.loguniform(1e-6, 1e-2),
    "batch_size": tune.choice([32, 64, 128, 256]),
}


def train_trial(config: dict[str, Any], splits: Splits) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for accuracy in train(config, splits, Path(folder) / "model.pt"):
            tune.report(
                {"val_accuracy": accuracy, "reported_at": time.time()},
                checkpoint=tune.Checkpoint.from_directory(folder),
            )


def main() -> None:
    work = read_work()
    arrays = work.read_arrays()
    splits = build_splits(arrays, mirrored=True)
    ray.init("local", num_cpus=work.workers, include_dashboard=False, log_to_driver=False)
    with tempfile.TemporaryDirectory() as storage:
        tuner = tune.Tuner(
            tune.with_resources(tune.with_parameters(train_trial, splits=splits), {"cpu": 1}),
            param_space=SPACE,
            tune_config=tune.TuneConfig(
                metric="val_accuracy",
                mode="max",
                search_alg=BasicVariantGenerator(points_to_evaluate=list(work.configurations)),
                scheduler=ASHAScheduler(
                    max_t=EPOCHS, grace_period=GRACE_PERIOD, reduction_factor=REDUCTION_FACTOR
                ),
                num_samples=len(work.configurations),
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(storage_path=storage, verbose=0),
        )
        results = tuner.fit()
        best = results.get_best_result()
        checkpoint = best.get_best_checkpoint("val_accuracy", "max")
        with checkpoint.as_directory() as folder:
            model = load(best.config, splits, Path(folder) / "model.pt")
        test_accuracy = evaluate(model, build_test(arrays))
        ray.shutdown()
        ended = time.time()
        reported = [result.metrics_dataframe for result in results]
        known = [frame for frame in reported if frame is not None]
        work.end(
            Outcome(
                ended=ended,
                trials=len(known),
                reports=[
                    Report(at=at, val_accuracy=value)
                    for frame in known
                    for at, value in zip(frame.reported_at, frame.val_accuracy, strict=True)
                ],
                test_accuracy=test_accuracy,
            )
        )


if __name__ == "__main__":
    main()
