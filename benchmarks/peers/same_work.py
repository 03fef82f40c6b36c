"""What every method of `against_peers.py` is asked to do, and what it hands back.

All train the same configurations in the same order, the ones that `--sampler random` draws here
behind the recipe, with the network of `network.py` or our `cnn`, which is the same one. Their rule
is successive halving with the same rungs. All see the same arrays, decoded before.
"""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from benchmarks.peers.contest import Arrays

if TYPE_CHECKING:
    from optuna import Trial

EPOCHS = 9
GRACE_PERIOD = 1
REDUCTION_FACTOR = 3
MOMENTUM = 0.9

Configuration = Mapping[str, Any]


def space(trial: "Trial") -> dict[str, Any]:
    """Search two or three blocks, a dense layer, and a constant rate of SGD or Adam."""
    trial.suggest_categorical("filters_1", (16, 32, 48))
    trial.suggest_categorical("filters_2", (32, 64, 96))
    trial.suggest_categorical("filters_3", (0, 64, 96, 128))  # 0: two blocks
    trial.suggest_categorical("dense_1", (64, 128, 256))
    trial.suggest_float("dropout", 0.0, 0.5)
    trial.suggest_categorical("optimizer", ("sgd", "adam"))
    trial.suggest_float("lr", 1e-4, 1e-1, log=True)
    trial.suggest_float("l2", 1e-6, 1e-2, log=True)
    trial.suggest_categorical("batch_size", (32, 64, 128, 256))
    return {
        "schedule": "constant",
        "label_smoothing": 0.0,
        "ema_epochs": 0.0,
        "horizontal_flip": 0.5,
        "crop_padding": 0.05,
        "momentum": MOMENTUM,
    }


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a method's process is asked to do.

    Attributes:
        dataset: As `--dataset` takes it.
        seed: That of `configurations`.
        configurations: The parameters of every trial, by the names of `space`.
        workers: The trials that train at once, one CPU each.
        cache: The folder of decoded images.
        arrays: The `.npz` file of the same images.
        output: The file for the outcome, JSON.
    """

    dataset: str
    train_size: int
    image_size: int
    seed: int
    configurations: Sequence[Configuration]
    workers: int
    cache: Path
    arrays: Path
    output: Path

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), default=str))

    @classmethod
    def read(cls, path: Path) -> Self:
        values = json.loads(path.read_text())
        paths = {name: Path(values[name]) for name in ("cache", "arrays", "output")}
        return cls(**{**values, **paths})

    def read_arrays(self) -> Arrays:
        return Arrays.read(self.arrays)

    def end(self, outcome: "Outcome") -> None:
        self.output.write_text(json.dumps(asdict(outcome)))


@dataclass(frozen=True, kw_only=True)
class Report:
    """An epoch of the search, as the search was told of it.

    Attributes:
        at: The `time.time()` of the report.
    """

    at: float
    val_accuracy: float


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a method's work came to.

    Attributes:
        ended: The `time.time()` at which a user has the result.
        trials: Trials that have reported.
        more_epochs: Epochs that were trained beside those of the search, to train its best again.
        test_accuracy: Of the model that is shipped.
    """

    ended: float = field(default_factory=time.time)
    trials: int
    reports: Sequence[Report]
    more_epochs: int = 0
    test_accuracy: float


def read_work() -> Work:
    """Read what a method's process was given on its command line."""
    parser = argparse.ArgumentParser(description="started by benchmarks.against_peers")
    parser.add_argument("work", type=Path)
    return Work.read(parser.parse_args().work)
