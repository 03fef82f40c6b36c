"""What one GPU does with trainings, from its own limits up to a network's accuracy.

    python -m benchmarks.gpu [PART ...] [--dataset parquet:PATH]

The parts, all of them unless some are named, take six minutes on an H200:

- limits: matrix products and copies, through torch alone
- networks: images per second of a training step in each arithmetic, and what the probe chooses
- compile: the same step through `torch.compile`, without and with CUDA graphs
- packing: one training after another against several at once, without and with NVIDIA's MPS
- memory: what `--gpus-per-trial auto` measures, and how many trials that is
- accuracy: seconds to an accuracy on the CIFAR-10 of `--dataset`, beside published seconds

It needs neither Ray nor a network. Images are random pixels, except for `accuracy`.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.gpu.packing import packing
from benchmarks.gpu.workloads import (
    AUGMENTED,
    CUDA,
    FASTEST,
    SHAPES,
    random_images,
    seconds,
    training_of,
)
from trainables.config import Runtime
from trainables.datasets import load_dataset
from trainables.registry import default_of
from trainables.training.device import CONTEXT_BYTES
from trainables.training.fit import build_training, fit
from trainables.trials.cost import count_multiply_adds
from trainables.trials.inputs import TrialInputs
from trainables.worker.gpu_memory import device_bytes, measure_need
from trainables.worker.probe import probe

SEEDS = (0, 1)
TARGETS = (0.90, 0.93, 0.94, 0.95)
RECIPE = {
    "architecture": "resnet18",
    "epochs": 20,
    "batch_size": 512,
    "optimizer": "sgd",
    "lr": 0.4,
    "l2": 5e-4,
    "schedule": "one_cycle",
    "label_smoothing": 0.1,
    **AUGMENTED,
}
PUBLISHED = (
    "published, on an A100 (arXiv 2404.00498): 0.94 after 3.83 s (airbench94), 0.95 after 10.4 s; "
    "0.96 after 7 min (its repository's standard ResNet-18)"
)


def matrix_rate(dtype: torch.dtype) -> float:
    """Operations per second of a matrix product."""
    size = 8192
    left, right = (torch.randn(size, size, device="cuda", dtype=dtype) for _ in range(2))
    return 2 * size**3 / seconds(lambda: left @ right)


def limits() -> None:
    source = torch.randint(0, 256, (2**32,), dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    copied = 2 * len(source) / seconds(lambda: target.copy_(source))
    print(f"copy, read and written: {copied / 1e12:.2f} TB/s")
    for dtype in (torch.float32, torch.bfloat16):
        print(f"matrix product, {dtype}: {matrix_rate(dtype) / 1e12:.0f} TFLOP/s")
    print(f"convolutions in fp32 may take TF32: {torch.backends.cudnn.allow_tf32}")


def networks() -> None:
    limit = matrix_rate(torch.bfloat16)
    print(f"{'':14}{'fp32':>10}{'fp32 cl':>10}{'bf16':>10}{'bf16 cl':>10}  of the limit  probed")
    for name, (pixels, batch_size) in SHAPES.items():
        data = random_images(pixels, 40 * batch_size + 1)
        flat = {**default_of(name, 20), **AUGMENTED, "batch_size": batch_size}
        started = time.perf_counter()
        probed = probe(flat, TrialInputs(data=data), pinned=None)
        taken = time.perf_counter() - started
        rates = []
        for runtime in combinations():
            training = training_of(name, data, runtime)
            per_second = 40 * batch_size / seconds(training.run_steps, 3)
            rates.append(per_second)
        # A training step takes three times the operations of a prediction.
        one = training.inputs.plain(training.inputs.placed.train[:1])
        share = 6 * count_multiply_adds(training.model, one) * max(rates) / limit
        cells = "".join(f"{rate:10,.0f}" for rate in rates)
        print(f"{name:14}{cells}{share:13.1%}   {probed.describe()}, {taken:.1f} s", flush=True)


def combinations() -> Iterator[Runtime]:
    for precision in ("fp32", "bf16"):
        for channels_last in (False, True):
            yield replace(CUDA, precision=precision, channels_last=channels_last)


def compile_step() -> None:
    for name in ("cnn", "resnet18"):
        pixels, batch_size = SHAPES[name]
        data = random_images(pixels, 40 * batch_size + 1)
        for mode in (None, "default", "reduce-overhead"):
            training = training_of(name, data, FASTEST)
            if mode:
                training.__dict__["_averaging_model"] = torch.compile(training.model, mode=mode)
            started = time.perf_counter()
            training.run_steps()
            first = time.perf_counter() - started
            rate = 40 * batch_size / seconds(training.run_steps, 3)
            said = f"{name:10}{mode or 'as it is':18}{rate:10,.0f} images/s"
            print(f"{said}, the first 40 steps {first:5.1f} s", flush=True)


def memory() -> None:
    total = device_bytes()
    for name, (pixels, batch_size) in SHAPES.items():
        data = random_images(pixels, 4 * batch_size + 1)
        flat = {**default_of(name, 1), **AUGMENTED, "batch_size": batch_size}
        need = measure_need([flat], TrialInputs(data=data), CUDA)
        trials = int(total / (1.1 * need + CONTEXT_BYTES))
        print(f"{name:14}{need / 2**20:8,.0f} MiB; {trials} trials by memory", flush=True)
    free, _ = torch.cuda.mem_get_info()
    context = total - free - torch.cuda.memory_reserved()
    print(f"CUDA's context and libraries: {context / 2**20:,.0f} MiB")


def accuracy(dataset: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        data = load_dataset(dataset, data_dir=Path(folder))
    # As the publications do: all images but those of test are trained on.
    known = np.concatenate([data.train_indices, data.validation_indices])
    data = replace(data, train_indices=known, validation_indices=data.test_indices)
    for seed in SEEDS:
        training = build_training(RECIPE, data, FASTEST, seed=seed)
        reached: dict[float, float] = {}
        spent = 0.0
        for metrics in fit(training):
            spent += metrics.seconds
            for target in TARGETS:
                if metrics.val_accuracy >= target:
                    reached.setdefault(target, spent)
        found = ", ".join(f"{target} after {at:.1f} s" for target, at in reached.items())
        print(f"seed {seed}: {found}; at the end {metrics.val_accuracy:.4f} after {spent:.1f} s")
    print(PUBLISHED)


PARTS: dict[str, Callable[[], None]] = {
    "limits": limits,
    "networks": networks,
    "compile": compile_step,
    "packing": packing,
    "memory": memory,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="default: all of them")
    parser.add_argument("--dataset", help="CIFAR-10, for the part `accuracy`")
    given = parser.parse_args()
    if not torch.cuda.is_available():
        parser.error("torch finds no GPU here")
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}")
    for name in given.parts or [*PARTS, *(["accuracy"] if given.dataset else [])]:
        started = time.perf_counter()
        print(f"\n## {name}\n", flush=True)
        if name == "accuracy":
            accuracy(given.dataset)
        else:
            PARTS[name]()
        print(f"\n({time.perf_counter() - started:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
