"""Trainings that run at once on a GPU, against one after another."""

import multiprocessing
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

from benchmarks.gpu.workloads import FASTEST, SHAPES, random_images, training_of
from trainables.training.device import prepare_process
from trainables.training.fit import Training

TRIALS_AT_ONCE = (1, 2, 4, 8)

_training: Training


def start(name: str, share: float) -> None:
    """In a process of its own."""
    global _training
    os.environ["OMP_NUM_THREADS"] = "1"
    prepare_process(share)
    pixels, batch_size = SHAPES[name]
    _training = training_of(name, random_images(pixels, 80 * batch_size + 1), FASTEST)
    _training.run_steps()


def train_for(at: float, until: float) -> float:
    """Images per second between two moments, in steps of 80 batches."""
    time.sleep(max(0.0, at - time.time()))
    images, started = 0, time.time()
    while time.time() < until:
        _training.run_steps()
        images += len(_training.inputs.placed.train)
    return images / (time.time() - started)


def together(name: str) -> list[float]:
    """Images per second of 1, 2, ... processes that train at once."""
    spawn = multiprocessing.get_context("spawn")
    most = max(TRIALS_AT_ONCE)
    pools = [ProcessPoolExecutor(1, spawn, start, (name, 1 / most)) for _ in range(most)]
    for ready in [pool.submit(os.getpid) for pool in pools]:
        ready.result()
    totals = []
    for count in TRIALS_AT_ONCE:
        at = time.time() + 0.5
        rates = [pool.submit(train_for, at, at + 3) for pool in pools[:count]]
        totals.append(sum(rate.result() for rate in rates))
    for pool in pools:
        pool.shutdown()
    return totals


@contextmanager
def mps() -> Iterator[bool]:
    """NVIDIA's multi-process service, in a folder of its own; false where it does not start."""
    program = shutil.which("nvidia-cuda-mps-control")
    if program is None:
        yield False
        return
    with tempfile.TemporaryDirectory() as folder, _environment(folder):
        done = subprocess.run([program, "-d"], check=False)
        try:
            yield done.returncode == 0
        finally:
            subprocess.run([program], input=b"quit\n", check=False)


@contextmanager
def _environment(folder: str) -> Iterator[None]:
    names = ("CUDA_MPS_PIPE_DIRECTORY", "CUDA_MPS_LOG_DIRECTORY")
    os.environ.update(dict.fromkeys(names, folder))
    yield
    for name in names:
        del os.environ[name]


def packing() -> None:
    def rows(label: str) -> None:
        for name in ("cnn", "resnet18"):
            rates = together(name)
            cells = "".join(f"{r:10,.0f} ({r / rates[0]:.2f})" for r in rates)
            print(f"{name:10}{label:14}{cells}", flush=True)

    print(f"{os.cpu_count()} CPUs; trainings at once: {TRIALS_AT_ONCE}, images/s of all together")
    rows("without MPS")
    with mps() as started:
        if started:
            rows("with MPS")
        else:
            print("MPS is not installed, or does not start here")
