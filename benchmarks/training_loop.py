"""Images per second of our training loop and of the one that the documentation teaches.

    python benchmarks/training_loop.py [--parquet PATH] [--images 1024] [--repetitions 5]

One process, one thread, the `cnn` at 32x32x3 with its default configuration, random crop (padding
of 4 pixels) and horizontal flip. Both loops train in turns for one epoch each; the first turn is
not counted.

- ours: `trainables.fit`, in the precision and memory format that the probe chooses.
- documentation: torchvision's v2 transforms on PIL images, a `Dataset`, a `DataLoader` without
  workers, fp32 NCHW, as in https://docs.pytorch.org/tutorials/beginner/blitz/cifar10_tutorial.html
"""

import argparse
import hashlib
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from trainables.architectures import cnn
from trainables.augment import train_normalisation
from trainables.config import Runtime
from trainables.datasets import ImageData, load_dataset
from trainables.device import probe
from trainables.fit import build_training

IMAGE_PIXELS = 32
PADDING_PIXELS = 4
BATCH_SIZE = 128
LR = 1e-3

CONFIG = {
    "architecture": "cnn",
    "batch_size": BATCH_SIZE,
    "lr": LR,
    "optimizer": "adam",
    "horizontal_flip": 0.5,
    "crop_padding": PADDING_PIXELS / IMAGE_PIXELS,
}


class PilImages(Dataset[tuple[Tensor, int]]):
    """As `torchvision.datasets.CIFAR10`: pixels in memory, an image and its transform each time."""

    def __init__(self, data: ImageData) -> None:
        self.images_NHWC = data.images_NHWC[data.train_indices]
        self.labels_N = data.labels_N[data.train_indices].tolist()
        normalisation = train_normalisation(data)
        self.transform = v2.Compose(
            [
                v2.RandomCrop(IMAGE_PIXELS, padding=PADDING_PIXELS),
                v2.RandomHorizontalFlip(),
                v2.ToImage(),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize(normalisation.mean, normalisation.std),
            ]
        )

    def __len__(self) -> int:
        return len(self.labels_N)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.images_NHWC[index])), self.labels_N[index]


def documentation_loop(data: ImageData) -> Callable[[], None]:
    """An epoch of it."""
    torch.manual_seed(0)
    model = cnn.Model(
        cnn.Config(),
        in_channels=data.num_channels,
        image_size=data.image_size,
        num_classes=data.num_classes,
    )
    loader = DataLoader(PilImages(data), batch_size=BATCH_SIZE, shuffle=True, num_workers=0)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=LR)

    def run_epoch() -> None:
        model.train()
        running_loss = 0.0
        for inputs, labels in loader:
            optimizer.zero_grad()
            loss = criterion(model(inputs), labels)
            loss.backward()
            optimizer.step()
            running_loss += loss.item()

    return run_epoch


def our_loop(data: ImageData, runtime: Runtime, epochs: int) -> Callable[[], None]:
    training = build_training({**CONFIG, "epochs": epochs}, data, runtime, seed=0)

    def run_epoch() -> None:
        training.run_epoch()

    return run_epoch


def random_images(count: int) -> ImageData:
    """`count` to train on, and one to validate on, so that only training is timed."""
    generator = np.random.default_rng(0)
    shape = (count + 1, IMAGE_PIXELS, IMAGE_PIXELS, 3)
    fingerprint = hashlib.sha256(b"random images").hexdigest()
    return ImageData(
        images_NHWC=generator.integers(0, 256, shape, dtype=np.uint8),
        labels_N=generator.integers(0, 10, count + 1),
        class_names=tuple("0123456789"),
        train_indices=np.arange(count),
        validation_indices=np.array([count]),
        test_indices=np.array([count]),
        unlabelled_NHWC=None,
        fingerprint=fingerprint,
        split_fingerprint=fingerprint,
        source="random",
        notes=(),
    )


def parquet_images(path: Path, count: int) -> ImageData:
    with tempfile.TemporaryDirectory() as folder:
        data = load_dataset(str(path), data_dir=Path(folder), image_size=IMAGE_PIXELS)
    train, validation = data.train_indices[:count], data.validation_indices[:1]
    return replace(data, train_indices=train, validation_indices=validation)


def measure(
    loops: dict[str, Callable[[], None]], num_images: int, repetitions: int
) -> dict[str, list[float]]:
    """Images per second of each repetition, the loops in turns, the first turn not counted."""
    rates: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(1 + repetitions):
        for name, run_epoch in loops.items():
            started = time.perf_counter()
            run_epoch()
            rates[name].append(num_images / (time.perf_counter() - started))
    return {name: values[1:] for name, values in rates.items()}


def row(name: str, values: list[float], digits: int) -> str:
    cells = (statistics.median(values), min(values), max(values))
    return f"{name:24}" + "".join(f"{cell:12,.{digits}f}" for cell in cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--parquet", type=Path, help="images to train on (default: random ones)")
    parser.add_argument("--images", type=int, default=1024, help="in an epoch (default: 1024)")
    parser.add_argument("--repetitions", type=int, default=5, help="epochs counted (default: 5)")
    given = parser.parse_args()

    torch.set_num_threads(1)
    data = parquet_images(given.parquet, given.images) if given.parquet else None
    data = data or random_images(given.images)
    runtime, _ = probe("cnn", data, pinned=None, epochs=1)
    num_images = len(data.train_indices)
    rates = measure(
        {
            "ours": our_loop(data, runtime, 1 + given.repetitions),
            "documentation": documentation_loop(data),
        },
        num_images,
        given.repetitions,
    )
    ratios = [a / b for a, b in zip(rates["ours"], rates["documentation"], strict=True)]
    print(f"{num_images:,} images of {data.source}, {given.repetitions} repetitions, one thread;")
    print(f"ours in {runtime.describe()}, torch {torch.__version__}\n")
    print(f"{'':24}{'median':>12}{'min':>12}{'max':>12}")
    for name, values in rates.items():
        print(row(f"{name} (images/s)", values, 0))
    print(row("ratio", ratios, 2))


if __name__ == "__main__":
    main()
