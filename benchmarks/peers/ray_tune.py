"""A search as Ray Tune's documentation writes it; started by `benchmarks/same_wall_time.py`.

`Tuner`, `OptunaSearch` and `ASHAScheduler` with their defaults, a report with a checkpoint after
each epoch, the best result's checkpoint on test:

- https://docs.ray.io/en/latest/tune/examples/tune-pytorch-cifar.html
- https://docs.ray.io/en/latest/tune/examples/optuna_example.html
- https://docs.ray.io/en/latest/tune/tutorials/tune-stopping.html (`time_budget_s`)

The space is the tutorial's, `lr` and SGD with momentum 0.9 included, with wider layers and batches
(its dense layers begin at one unit, its batches at 2 images, which would only lose), and with what
a user would add: Adam, dropout, weight decay, three blocks. Trials take one CPU each.
"""

import tempfile
from pathlib import Path
from typing import Any

import ray
import torch
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch
from torch.utils.data import DataLoader

from benchmarks.peers.contest import Ended, outcome_of, read_turn
from benchmarks.peers.network import (
    Network,
    Splits,
    build_splits,
    build_test,
    evaluate,
    train_epoch,
)

SECONDS_TO_END = 6.0
"""What evaluation on test and the end of Ray take, about."""

SPACE = {
    "filters_1": tune.choice([16, 32, 48]),
    "filters_2": tune.choice([32, 64, 96]),
    "filters_3": tune.choice([0, 64, 96, 128]),  # 0: two blocks
    "dense": tune.choice([64, 128, 256]),
    "dropout": tune.uniform(0.0, 0.5),
    "optimizer": tune.choice(["sgd", "adam"]),
    "lr": tune.loguniform(1e-4, 1e-1),
    "weight_decay": tune.loguniform(1e-6, 1e-2),
    "batch_size": tune.choice([32, 64, 128, 256]),
}


def build_network(config: dict[str, Any], splits: Splits) -> Network:
    filters = [config[f"filters_{block}"] for block in (1, 2, 3)]
    return Network(
        [width for width in filters if width],
        config["dense"],
        config["dropout"],
        shape_HWC=splits.shape_HWC,
        num_classes=splits.num_classes,
    )


def build_optimizer(config: dict[str, Any], model: Network) -> torch.optim.Optimizer:
    lr, weight_decay = config["lr"], config["weight_decay"]
    if config["optimizer"] == "adam":
        return torch.optim.Adam(model.parameters(), lr=lr, weight_decay=weight_decay)
    return torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, weight_decay=weight_decay)


def train(config: dict[str, Any], splits: Splits, epochs: int) -> None:
    model = build_network(config, splits)
    optimizer = build_optimizer(config, model)
    batches = DataLoader(splits.train, batch_size=config["batch_size"], shuffle=True)
    for _ in range(epochs):
        train_epoch(model, batches, optimizer)
        with tempfile.TemporaryDirectory() as folder:
            torch.save(model.state_dict(), Path(folder) / "model.pt")
            tune.report(
                {"val_accuracy": evaluate(model, splits.validation)},
                checkpoint=tune.Checkpoint.from_directory(folder),
            )


def main() -> None:
    turn = read_turn()
    arrays, epochs = turn.arrays, turn.data_set.epochs
    splits = build_splits(arrays, mirrored=turn.data_set.mirrored)
    ray.init("local", include_dashboard=False, log_to_driver=False)
    with tempfile.TemporaryDirectory() as storage:
        trainable = tune.with_parameters(train, splits=splits, epochs=epochs)
        tuner = tune.Tuner(
            tune.with_resources(trainable, {"cpu": 1}),
            param_space=SPACE,
            tune_config=tune.TuneConfig(
                metric="val_accuracy",
                mode="max",
                search_alg=OptunaSearch(seed=turn.seed),
                scheduler=ASHAScheduler(max_t=epochs),
                num_samples=-1,
                time_budget_s=turn.seconds_left - SECONDS_TO_END,
            ),
            run_config=tune.RunConfig(storage_path=storage, verbose=0),
        )
        results = tuner.fit()
        best = results.get_best_result()
        checkpoint = best.get_best_checkpoint("val_accuracy", "max")
        with checkpoint.as_directory() as folder:
            state = torch.load(Path(folder) / "model.pt")
    model = build_network(best.config, splits)
    model.load_state_dict(state)
    trials = [
        Ended(
            epochs=result.metrics["training_iteration"],
            val_accuracy=result.metrics["val_accuracy"],
        )
        for result in results
        if result.metrics and "val_accuracy" in result.metrics
    ]
    turn.end(
        outcome_of(
            trials,
            arrays,
            test_accuracy=evaluate(model, build_test(arrays)),
            val_accuracy=evaluate(model, splits.validation),
            more={"errors": results.num_errors},
        )
    )


if __name__ == "__main__":
    main()
