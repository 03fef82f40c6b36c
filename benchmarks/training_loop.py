"""Images per second of our training loop and of the one that the documentation teaches.

    python benchmarks/training_loop.py [--parquet PATH] [--precision fp32] [--repetitions 5]

The `cnn` at 32x32x3 with its default configuration, random crop (padding of 4 pixels) and
horizontal flip, one thread. Each loop has a process of its own, set up as its users would; they
train in turns for one epoch each, and the first turn is not counted. Seconds are of the processor:
where nothing else runs they are those of the clock.

- ours: `trainables.training.fit`, in the precision and memory format that the probe chooses.
- documentation: torchvision's v2 transforms on PIL images, a `Dataset`, a `DataLoader` without
  workers, fp32 NCHW, as in https://docs.pytorch.org/tutorials/beginner/blitz/cifar10_tutorial.html
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from trainables.architectures import cnn
from trainables.config import Precision, Runtime
from trainables.datasets import ImageData, load_dataset
from trainables.datasets.image_data import Integers, Pixels
from trainables.registry import default_of
from trainables.training.device import prepare_process
from trainables.training.fit import build_training
from trainables.training.normalisation import train_normalisation
from trainables.trials.inputs import TrialInputs
from trainables.worker.probe import probe

IMAGE_PIXELS = 32
PADDING_PIXELS = 4
BATCH_SIZE = 128
LR = 1e-3

CONFIG = {
    "architecture": "cnn",
    "epochs": 1,
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


def documentation_loop(data: ImageData, _: Runtime) -> Callable[[], None]:
    """What runs an epoch of it."""
    torch.set_num_threads(1)
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


def our_loop(data: ImageData, runtime: Runtime) -> Callable[[], None]:
    prepare_process()
    training = build_training(CONFIG, data, runtime, seed=0)

    def run_epoch() -> None:
        training.run_epoch()

    return run_epoch


LOOPS = {"ours": our_loop, "documentation": documentation_loop}

_run_epoch: Callable[[], None]


def start(name: str, data: ImageData, runtime: Runtime) -> None:
    """In the loop's own process."""
    global _run_epoch
    _run_epoch = LOOPS[name](data, runtime)


def epoch_seconds() -> float:
    started = time.process_time()
    _run_epoch()
    return time.process_time() - started


def measure(data: ImageData, runtime: Runtime, repetitions: int) -> dict[str, list[float]]:
    """Images per second of each repetition."""
    seconds: dict[str, list[float]] = {name: [] for name in LOOPS}
    with ExitStack() as stack:
        processes = {
            name: stack.enter_context(
                ProcessPoolExecutor(1, get_context("spawn"), start, (name, data, runtime))
            )
            for name in LOOPS
        }
        for _ in range(1 + repetitions):
            for name, process in processes.items():
                seconds[name].append(process.submit(epoch_seconds).result())
    num_images = len(data.train_indices)
    return {name: [num_images / each for each in values[1:]] for name, values in seconds.items()}


def random_images(count: int) -> tuple[Pixels, Integers]:
    generator = np.random.default_rng(0)
    shape = (count, IMAGE_PIXELS, IMAGE_PIXELS, 3)
    return generator.integers(0, 256, shape, dtype=np.uint8), generator.integers(0, 10, count)


def parquet_images(path: Path, count: int) -> tuple[Pixels, Integers]:
    with tempfile.TemporaryDirectory() as folder:
        data = load_dataset(f"parquet:{path}", data_dir=Path(folder), image_size=IMAGE_PIXELS)
        chosen = data.train_indices[:count]
        return data.images_NHWC[chosen], data.labels_N[chosen]


def train_on_all_but_one(images_NHWC: Pixels, labels_N: Integers) -> ImageData:
    """The last image is left to validate on, so that only training is timed."""
    last = np.array([len(labels_N) - 1])
    return ImageData(
        images_NHWC=images_NHWC,
        labels_N=labels_N,
        names_N=np.array([str(index) for index in range(len(labels_N))]),
        class_names=tuple(map(str, range(labels_N.max() + 1))),
        train_indices=np.arange(last[0]),
        validation_indices=last,
        test_indices=last,
        fingerprint="",
        split_fingerprint="",
        source="",
        notes=(),
    )


def row(name: str, values: list[float], digits: int) -> str:
    cells = (statistics.median(values), min(values), max(values))
    return f"{name:24}" + "".join(f"{cell:12,.{digits}f}" for cell in cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--parquet", type=Path, help="images to train on (default: random ones)")
    parser.add_argument("--images", type=int, default=1024, help="in an epoch (default: 1024)")
    parser.add_argument("--repetitions", type=int, default=5, help="epochs counted (default: 5)")
    parser.add_argument("--precision", choices=get_args(Precision), help="(default: as probed)")
    given = parser.parse_args()

    os.environ["OMP_NUM_THREADS"] = "1"
    prepare_process()
    count = given.images + 1
    images = parquet_images(given.parquet, count) if given.parquet else random_images(count)
    data = train_on_all_but_one(*images)
    config = {**default_of("cnn", 1), **CONFIG}
    runtime = probe(config, TrialInputs(data=data), pinned=given.precision)
    rates = measure(data, runtime, given.repetitions)
    ratios = [a / b for a, b in zip(rates["ours"], rates["documentation"], strict=True)]
    source = given.parquet or "random pixels"
    print(f"{len(data.train_indices):,} images of {source}, {given.repetitions} epochs, one thread")
    print(f"ours in {runtime.describe()}, torch {torch.__version__}\n")
    print(f"{'':24}{'median':>12}{'min':>12}{'max':>12}")
    for name, values in rates.items():
        print(row(f"{name} (images/s)", values, 0))
    print(row("ratio", ratios, 2))


if __name__ == "__main__":
    main()
