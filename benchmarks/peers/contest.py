"""What every method of `same_wall_time.py` gets, and what it hands back.

All see the same arrays: loaded by `load_dataset`, split once (seed 0), written to one `.npz` for
each data set, so that decoding counts for nobody.
"""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.fruits import BLOCKS, write_blocks
from trainables.datasets import ImageData, load_dataset
from trainables.datasets.image_data import Integers, Pixels


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A data set of the comparison.

    Attributes:
        dataset: As `--dataset` takes it; `{}` is the folder of data, `{cache}` that of what is made
            of it.
        pixels: The side in pixels; `None` keeps that of the files.
        train_size: Images to train on and to validate on; `None` is all of them.
        epochs: A trial's full budget, for every method.
        mirrored: Whether the rivals mirror images at random. Digits are not what they were then.
            Our space has `horizontal_flip` for all of them.
    """

    dataset: str
    pixels: int | None
    train_size: int | None
    epochs: int
    mirrored: bool = True

    def spec(self, data: Path, cache: Path) -> str:
        return self.dataset.format(data, cache=cache)


DATA_SETS = {
    "digits": DataSet(
        dataset="digits?split=writers", pixels=None, train_size=None, epochs=20, mirrored=False
    ),
    "fashion": DataSet(dataset="fashion-mnist", pixels=28, train_size=10_000, epochs=16),
    "cifar10": DataSet(dataset="parquet:{}/cifar10-jpeg", pixels=32, train_size=10_000, epochs=16),
    "flowers5": DataSet(dataset="parquet:{}/flowers5", pixels=32, train_size=None, epochs=20),
    "fruits49": DataSet(
        dataset=f"parquet:{{cache}}/{BLOCKS}?group=block", pixels=32, train_size=None, epochs=15
    ),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Arrays:
    """The three splits: uint8 images NHWC and int64 labels."""

    train_NHWC: Pixels
    train_N: Integers
    validation_NHWC: Pixels
    validation_N: Integers
    test_NHWC: Pixels
    test_N: Integers

    @classmethod
    def read(cls, path: Path) -> "Arrays":
        with np.load(path) as stored:
            return cls(**{name: stored[name] for name in stored.files})

    @property
    def num_classes(self) -> int:
        return int(self.train_N.max()) + 1

    @property
    def chance(self) -> float:
        """Give the validation accuracy of always answering the commonest class."""
        return float(np.bincount(self.validation_N).max() / len(self.validation_N))


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A trial of a search: its epochs, and its last validation accuracy."""

    epochs: int
    val_accuracy: float


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a method ships, and what its search took.

    Attributes:
        test_accuracy, val_accuracy: Of the model that is shipped.
        epochs: Of all trials of the search.
        epochs_at_chance: Of those trials whose last validation accuracy is below 1.1 times chance.
        more: What this method alone has.
    """

    test_accuracy: float
    val_accuracy: float
    trials: int
    epochs: int
    epochs_at_chance: int
    more: Mapping[str, float | None] = field(default_factory=dict)


def outcome_of(
    trials: Sequence[Ended],
    arrays: Arrays,
    *,
    test_accuracy: float,
    val_accuracy: float,
    more: Mapping[str, float | None] | None = None,
) -> Outcome:
    lost = [trial.epochs for trial in trials if not trial.val_accuracy >= 1.1 * arrays.chance]
    return Outcome(
        test_accuracy=test_accuracy,
        val_accuracy=val_accuracy,
        trials=len(trials),
        epochs=sum(trial.epochs for trial in trials),
        epochs_at_chance=sum(lost),
        more=more or {},
    )


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What a method's process is asked to do.

    Attributes:
        deadline: The `time.time()` at which its wall time is over; it began before the imports.
        data: The folder of data.
        cache: The folder of decoded images and of the `.npz` files.
        output: The file for the outcome, JSON.
    """

    name: str
    seed: int
    deadline: float
    data: Path
    cache: Path
    output: Path

    @property
    def data_set(self) -> DataSet:
        return DATA_SETS[self.name]

    @property
    def arrays(self) -> Arrays:
        return Arrays.read(self.cache / f"{self.name}.npz")

    @property
    def seconds_left(self) -> float:
        return self.deadline - time.time()

    def arguments(self) -> list[str]:
        return [f"--{name}={value}" for name, value in asdict(self).items()]

    def end(self, outcome: Outcome) -> None:
        self.output.write_text(json.dumps(asdict(outcome)))


def read_turn() -> Turn:
    """Read what `Turn.arguments` wrote."""
    parser = argparse.ArgumentParser(description="started by benchmarks.same_wall_time")
    parser.add_argument("--name", choices=DATA_SETS, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--deadline", type=float, required=True)
    for name in ("--data", "--cache", "--output"):
        parser.add_argument(name, type=Path, required=True)
    return Turn(**vars(parser.parse_args()))


def load(name: str, data: Path, cache: Path) -> ImageData:
    """Load a data set as a run of the project does."""
    wanted = DATA_SETS[name]
    write_blocks(data, cache)
    return load_dataset(
        wanted.spec(data, cache),
        data_dir=cache,
        image_size=wanted.pixels,
        train_size=wanted.train_size,
    )


def write_arrays(images: ImageData, path: Path) -> None:
    arrays: dict[str, Pixels | Integers] = {}
    for split in ("train", "validation", "test"):
        indices = getattr(images, f"{split}_indices")
        arrays[f"{split}_NHWC"] = images.images_NHWC[indices]
        arrays[f"{split}_N"] = images.labels_N[indices]
    np.savez(path, **arrays)  # type: ignore[arg-type]
