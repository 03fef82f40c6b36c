"""Networks, batches and random images that the parts of the benchmark share."""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from benchmarks.training_loop import train_on_all_but_one
from trainables.config import Runtime
from trainables.datasets import ImageData
from trainables.registry import default_of
from trainables.training.fit import Training, build_training

CUDA = Runtime(device="cuda")
FASTEST = replace(CUDA, precision="bf16", channels_last=True)
AUGMENTED = {"horizontal_flip": 0.5, "crop_padding": 0.125}
SHAPES = {  # of a batch that a user of it would take: pixels of a side, images
    "mlp": (32, 128),
    "cnn": (32, 128),
    "deep_cnn": (96, 128),
    "resnet18": (32, 128),
    "resnet50": (96, 128),
    "mobilenet_v2": (96, 128),
    "vgg16_bn": (96, 128),
}


def random_images(pixels: int, count: int) -> ImageData:
    generator = np.random.default_rng(0)
    images_NHWC = generator.integers(0, 256, (count, pixels, pixels, 3), dtype=np.uint8)
    data = train_on_all_but_one(images_NHWC, generator.integers(0, 10, count))
    return replace(data, fingerprint=f"random {pixels} {count}")


def seconds(run: Callable[[], Any], repetitions: int = 5) -> float:
    """The median of some repetitions, after one that is not counted."""
    taken = []
    for _ in range(1 + repetitions):
        torch.cuda.synchronize()
        started = time.perf_counter()
        run()
        torch.cuda.synchronize()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken[1:])


def training_of(name: str, data: ImageData, runtime: Runtime) -> Training:
    flat = {**default_of(name, 1), **AUGMENTED, "batch_size": SHAPES[name][1]}
    return build_training(flat, data, runtime, seed=0)
