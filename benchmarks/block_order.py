"""What the order of images that are larger than memory does to accuracy.

    python -m benchmarks.block_order --parquet CIFAR10 --train 10000

A network is trained on images that lie sorted by class, which is the worst case, in several orders:
any one, as of images that fit, and blocks of neighbours that are shuffled within windows of so many
blocks. At 224 x 224 x 3 a window is 297 blocks of 6 images; here blocks are of 4. It prints
accuracies on validation, and how far each order is from the first on the same seeds, with a 95 %
interval.
"""

import argparse
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy.stats import t

from trainables.config import Runtime
from trainables.datasets import ImageData, load_dataset
from trainables.training import inputs
from trainables.training.fit import build_training, fit

BLOCK = 4
WINDOWS = (256, 8)
"""Blocks in a window; the first is what is used."""

CONFIG = {
    "architecture": "cnn",
    "filters": (8, 16),
    "dense": (32,),
    "optimizer": "adamw",
    "lr": 4e-3,
    "schedule": "one_cycle",
    "batch_size": 64,
    "horizontal_flip": 0.5,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--parquet", type=Path, required=True, help="images of one size")
    parser.add_argument("--train", type=int, default=10_000)
    parser.add_argument("--validation", type=int, default=5_000)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data-dir", type=Path, help="(default: a temporary folder)")
    given = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        loaded = load_dataset(f"parquet:{given.parquet}", data_dir=given.data_dir or Path(folder))
        data = sorted_by_class(loaded, given.train, given.validation)
    print(f"{given.train:,} images, {given.epochs} epochs, {given.seeds} seeds")
    found: dict[str, list[float]] = {}
    for seed in range(given.seeds):
        for window in (None, *WINDOWS):
            name = "any order" if window is None else f"windows of {window} blocks"
            accuracy = train(data, window, epochs=given.epochs, seed=seed)
            found.setdefault(name, []).append(accuracy)
            print(f"  seed {seed}, {name}: {accuracy:.4f}", flush=True)
    first = next(iter(found.values()))
    for name, accuracies in found.items():
        print(f"{name:24} {statistics.mean(accuracies):.4f}  {compare(accuracies, first)}")


def compare(accuracies: list[float], others: list[float]) -> str:
    """The mean of the differences, with the half of their 95 % interval."""
    if accuracies is others:
        return ""
    differences = np.subtract(accuracies, others)
    count = len(differences)
    half = t.ppf(0.975, count - 1) * differences.std(ddof=1) / count**0.5
    return f"{differences.mean():+.4f} +- {half:.4f}"


def sorted_by_class(data: ImageData, num_train: int, num_validation: int) -> ImageData:
    """Take some images to train on, by class, and some others to validate on."""
    generator = np.random.default_rng(0)
    chosen = generator.permutation(data.known_indices)[: num_train + num_validation]
    train, validation = chosen[:num_train], chosen[num_train:]
    order = np.concatenate([train[data.labels_N[train].argsort(kind="stable")], validation])
    return replace(
        data,
        images_NHWC=data.images_NHWC[order],
        labels_N=data.labels_N[order],
        names_N=data.names_N[order],
        train_indices=np.arange(num_train),
        validation_indices=np.arange(num_train, len(order)),
        test_indices=np.arange(0),
        decoded=None,
    )


def train(data: ImageData, window: int | None, *, epochs: int, seed: int) -> float:
    """Return the accuracy on validation; `None`, for a window, is any order."""
    each = data.images_NHWC[0].nbytes
    inputs.BLOCK_BYTES, inputs.WINDOW_BYTES = BLOCK * each, BLOCK * each * (window or 1)
    runtime = Runtime(device="cpu", memory_bytes=None if window is None else 1)
    training = build_training({**CONFIG, "epochs": epochs}, data, runtime, seed=seed)
    *_, last = fit(training)
    return last.val_accuracy


if __name__ == "__main__":
    main()
