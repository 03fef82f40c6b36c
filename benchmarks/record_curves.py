"""Record learning curves of configurations of the search spaces, for replays of searches.

    chrt --idle 0 nice -n 19 python -m benchmarks.record_curves DATA [TASK ...] [--count 200]

DATA is a folder with `MNIST`, `fruits-49`, `flowers5`, `cifar10-jpeg`, `aliens` and
`weights/mobilenet_v2_imagenet.pt`; Fashion-MNIST is Debian's. Each task goes to
`benchmarks/curves/TASK.parquet`, a row for each epoch of each configuration: its number, its
parameters as JSON, the accuracy on validation of the weights as they are and of their average over
a quarter epoch, the mean training loss, and seconds. What is there already is not trained again.
Networks train on one thread, and their seconds are the processor's: other work does not count.

Odd numbers are drawn uniformly from the space, even ones around the architecture's recipe.
"""

import argparse
import json
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pyarrow as pa
import pyarrow.parquet as pq
from optuna.samplers import RandomSampler

from searchspaces import classical, cnn, mlp
from trainables.config import Runtime, complete_config, number_entries
from trainables.datasets import ImageData, load_dataset
from trainables.features import Frozen, Hog
from trainables.features.extract import describe_all
from trainables.registry import default_of, is_estimator, recipe_of
from trainables.training.device import prepare_process
from trainables.training.evaluate import predict_logits, score
from trainables.training.fit import build_training
from trainables.training.pretrained import load_pretrained
from trainables.trials.estimator_trial import EstimatorTrial
from trainables.trials.inputs import TrialInputs
from tune_jobs.engine.search.prior_sampler import PriorSampler

FOLDER = Path(__file__).parent / "curves"
SAVED_EVERY = 5
EMA_EPOCHS = 0.25
CPU = Runtime(device="cpu")


@dataclass(frozen=True, kw_only=True)
class Task:
    dataset: str
    pixels: int
    train: int
    validation: int
    architecture: str
    space: Callable[[Any], Any]
    epochs: int
    chance: float  # the accuracy of always answering the commonest class, about
    features: Hog | Frozen | None = None
    weights: str = ""


TASKS = {
    "digits_cnn": Task(
        dataset="digits", pixels=8, train=700, validation=700,
        architecture="cnn", space=cnn.space, epochs=16, chance=0.1,
    ),
    "fashion_mlp": Task(
        dataset="fashion-mnist", pixels=28, train=3000, validation=2000,
        architecture="mlp", space=mlp.space, epochs=16, chance=0.1,
    ),
    "cifar_cnn": Task(
        dataset="parquet:{}/cifar10-jpeg", pixels=24, train=1500, validation=1500,
        architecture="cnn", space=cnn.cifar10_space, epochs=16, chance=0.1,
    ),
    "flowers_cnn": Task(
        dataset="parquet:{}/flowers5", pixels=24, train=1200, validation=1000,
        architecture="cnn", space=cnn.space, epochs=16, chance=0.25,
    ),
    "fruits_mlp": Task(
        dataset="parquet:{}/fruits-49", pixels=16, train=2500, validation=1000,
        architecture="mlp", space=mlp.space, epochs=16, chance=0.03,
    ),
    "aliens_head": Task(
        dataset="folder:{}/aliens", pixels=96, train=500, validation=194,
        architecture="mlp", space=mlp.head_space, epochs=16, chance=0.5,
        features=Frozen(architecture="mobilenet_v2", config={"normalisation": "imagenet"}),
        weights="{}/weights/mobilenet_v2_imagenet.pt",
    ),
    "fashion_classical": Task(
        dataset="fashion-mnist", pixels=28, train=2000, validation=2000,
        architecture="svm", space=classical.space, epochs=9, chance=0.1,
        features=Hog(components=128),
    ),
}  # fmt: skip

Curve = list[dict[str, Any]]


def load_task(task: Task, data: Path, cache: Path) -> TrialInputs:
    """The task's images, fewer where it wants fewer, with features where it has them."""
    images = load_dataset(task.dataset.format(data), data_dir=cache, image_size=task.pixels)
    images = fewer(images, task)
    pretrained = None
    if task.weights and isinstance(task.features, Frozen):
        pretrained = load_pretrained(task.weights.format(data), task.features.architecture)
    features = describe_all(task.features, images, pretrained) if task.features else None
    return TrialInputs(data=images, features=features)


def fewer(images: ImageData, task: Task) -> ImageData:
    generator = np.random.default_rng(0)
    known = generator.permutation(np.concatenate([images.train_indices, images.validation_indices]))
    kept = known[: task.train + task.validation]
    order = np.concatenate([kept, images.test_indices[:1]])
    count = len(kept)
    return replace(
        images,
        images_NHWC=images.images_NHWC[order],
        labels_N=images.labels_N[order],
        names_N=images.names_N[order],
        train_indices=np.arange(min(task.train, count - 1)),
        validation_indices=np.arange(min(task.train, count - 1), count),
        test_indices=np.array([count]),
        fingerprint=f"{images.fingerprint} {task.train} {task.validation} {task.pixels}",
        split_fingerprint=f"{images.split_fingerprint} {task.train} {task.validation}",
    )


def draw(task: Task, number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters of a configuration, and the whole of it."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = RandomSampler(seed=number) if number % 2 else around_recipe(task, number)
    trial = optuna.create_study(sampler=sampler).ask()
    constants = task.space(trial) or {}
    given = {"architecture": task.architecture, **trial.params, **constants}
    return trial.params, complete_config(default_of(given["architecture"], task.epochs), given)


def around_recipe(task: Task, number: int) -> optuna.samplers.BaseSampler:
    recipe = number_entries(recipe_of(default_of(task.architecture, task.epochs)))
    return PriorSampler(number, centre=recipe, uniform=0.0)


def train(config: dict[str, Any], inputs: TrialInputs, seed: int) -> Iterator[dict[str, Any]]:
    """Train a configuration to the end, or until it diverges; yield a row for each epoch."""
    if is_estimator(config["architecture"]):
        trial = EstimatorTrial(config, inputs, seed=seed)
        for metrics in trial.training.fit(rungs=tuple(range(1, trial.epochs)), after=0):
            yield {
                "epoch": metrics.epoch,
                "raw": metrics.val_accuracy,
                "averaged": metrics.val_accuracy,
                "train_loss": metrics.train_loss,
                "seconds": metrics.seconds,
            }
        return
    config = {**config, "ema_epochs": EMA_EPOCHS}
    training = build_training(config, inputs.data, CPU, seed=seed, features=inputs.features)
    placed = training.inputs.placed
    for _ in range(training.config.epochs):
        began = time.process_time()
        metrics = training.run_epoch()
        seconds = time.process_time() - began
        raw = score(
            predict_logits(training._trained, training.inputs, placed.validation, CPU),
            placed.labels_N[placed.validation],
        )
        yield {
            "epoch": metrics.epoch,
            "raw": raw.accuracy,
            "averaged": metrics.val_accuracy,
            "train_loss": metrics.train_loss,
            "seconds": seconds,
        }
        if metrics.diverged:
            return


def record(name: str, data: Path, cache: Path, count: int) -> None:
    task, path = TASKS[name], FOLDER / f"{name}.parquet"
    rows: Curve = pq.read_table(path).to_pylist() if path.exists() else []
    known = {row["number"] for row in rows}
    FOLDER.mkdir(exist_ok=True)
    inputs = load_task(task, data, cache)
    for number in range(count):
        if number in known:
            continue
        params, config = draw(task, number)
        try:
            curve = list(train(config, inputs, seed=number))
        except Exception as error:
            print(f"{name} {number}: {error!r}", flush=True)
            curve = []
        told = {"number": number, "params": json.dumps(params)}
        rows += [{**told, **row} for row in curve or [FAILED]]
        print(f"{name} {number}: {[round(row['averaged'], 3) for row in curve][-1:]}", flush=True)
        if number % SAVED_EVERY == 0 or number == count - 1:
            save(rows, path)


FAILED = {"epoch": 0, "raw": math.nan, "averaged": math.nan, "train_loss": math.nan, "seconds": 0.0}


def save(rows: Curve, path: Path) -> None:
    part = path.with_suffix(".part")
    pq.write_table(pa.Table.from_pylist(rows), part, compression="zstd")
    part.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=", ".join(TASKS))
    parser.add_argument("--count", type=int, default=200, help="configurations (default: 200)")
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    prepare_process()
    cache = Path(tempfile.gettempdir()) / "curves-data"
    for name in given.tasks or TASKS:
        started = time.time()
        record(name, given.data, cache, given.count)
        print(f"{name}: {time.time() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
