"""Where the processor time of a training step goes, operation by operation.

    python -m benchmarks.training_step [NETWORK ...] [--steps 8] [--repetitions 5]

Each network trains by its recipe on random images that are shifted, mirrored and turned, one
thread, in fp32 and channels_last. Steps are timed by the thread's processor time, so that a busy
machine changes little: whole, and again with each of torch's operations by itself. The least of
several epochs counts. What no operation took is Python, autograd and dispatch.
"""

import argparse
import os
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks.training_loop import random_images, train_on_all_but_one
from trainables.config import Runtime
from trainables.registry import default_of, recipe_of
from trainables.training.device import prepare_process
from trainables.training.fit import Training, build_training

NETWORKS = ("mlp", "cnn", "resnet18")
AUGMENTED = {"horizontal_flip": 0.5, "crop_padding": 0.125, "rotation_degrees": 10}
RUNTIME = Runtime(device="cpu", channels_last=True)
GROUPS = {  # by what stands in an operation's name
    "convolution, backward": ("convolution_backward",),
    "convolution, forward": ("convolution",),
    "batch norm": ("batch_norm",),
    "pooling": ("pool",),
    "matrix products": ("mm", "addmm"),
    "activation": ("relu", "threshold", "clamp_min"),
    "dropout": ("dropout", "bernoulli"),
}


class Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sums the processor time of operations by group, those of a named section together."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.section = ""
        self.seconds: dict[str, float] = defaultdict(float)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        started = time.thread_time()
        result = func(*args, **(kwargs or {}))
        self.seconds[self.section or _group(str(func))] += time.thread_time() - started
        return result

    def name(self, part: Callable[..., Any], section: str) -> Callable[..., Any]:
        """Call `part` with the operations in it counted as the section's."""

        def named(*args: Any, **kwargs: Any) -> Any:
            self.section = section
            try:
                return part(*args, **kwargs)
            finally:
                self.section = ""

        return named


def _group(operation: str) -> str:
    words = operation.removeprefix("aten.").split(".")[0]
    for group, parts in GROUPS.items():
        if any(part in words for part in parts):
            return group
    return "other operations"


def build(name: str, steps: int) -> Training:
    """Build a training whose epochs have so many steps."""
    flat = {**recipe_of(default_of(name, 1000)), **AUGMENTED}
    data = train_on_all_but_one(*random_images(steps * flat["batch_size"] + 1))
    return build_training(flat, data, RUNTIME, seed=0)


def step_seconds(training: Training, repetitions: int) -> list[float]:
    """The processor time of a step, by epoch, after an epoch that is not counted."""
    taken = []
    for _ in range(1 + repetitions):
        started = time.thread_time()
        training.run_steps()
        taken.append((time.thread_time() - started) / training.num_steps)
    return taken[1:]


def by_operation(training: Training, repetitions: int) -> dict[str, float]:
    """The groups' seconds in a step, each the least of the epochs."""
    operations = Operations()
    parts: list[tuple[Any, str, str]] = [
        (training.inputs, "augmented", "batch: gather, augment, normalise"),
        (training._optimizer, "step", "optimizer"),
        (training._average, "update_parameters", "average of weights"),
    ]
    for owner, method, section in parts:
        if owner is not None:
            setattr(owner, method, operations.name(getattr(owner, method), section))
    found: list[dict[str, float]] = []
    for _ in range(repetitions):
        operations.seconds = defaultdict(float)
        with operations:
            training.run_steps()
        found.append(operations.seconds)
    groups = {group for each in found for group in each}
    return {group: min(each[group] / training.num_steps for each in found) for group in groups}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help="default: all three")
    parser.add_argument("--steps", type=int, default=8, help="of an epoch (default: 8)")
    parser.add_argument("--repetitions", type=int, default=5, help="epochs counted (default: 5)")
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    prepare_process()
    for name in given.networks or NETWORKS:
        training = build(name, given.steps)
        each = step_seconds(training, given.repetitions)
        whole = min(each)
        seconds = by_operation(training, given.repetitions)
        seconds["Python, autograd, dispatch"] = max(0.0, whole - sum(seconds.values()))
        batch = f"{training.config.batch_size} images"
        most = f"at most {max(each) * 1e3:.2f} ms"
        print(f"{name}, {batch}, torch {torch.__version__}: {whole * 1e3:.2f} ms, {most}")
        for group, taken in sorted(seconds.items(), key=lambda item: -item[1]):
            print(f"    {group:36}{taken * 1e3:9.2f} ms{taken / whole:8.1%}", flush=True)


if __name__ == "__main__":
    main()
