"""A trial keeps to its share of a GPU's memory, and makes do with it."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import pytest
import torch

from trainables.config import Runtime
from trainables.datasets import ImageData
from trainables.training.device import free_device_bytes, memory_fraction, prepare_process
from trainables.training.fit import build_training, fit
from trainables.trials.inputs import TrialInputs
from trainables.worker.gpu_memory import device_bytes, measure_need
from trainables.worker.probe import probe

CUDA = Runtime(device="cuda")
DEEP = {"architecture": "resnet18", "epochs": 1, "batch_size": 1000, "lr": 1e-3}


@pytest.fixture
def little_memory() -> Iterator[None]:
    """Half a gibibyte more than what torch holds at its start."""
    torch.cuda.empty_cache()
    allowed = torch.cuda.memory_reserved() + 2**29
    torch.cuda.set_per_process_memory_fraction(allowed / device_bytes())
    yield
    torch.cuda.set_per_process_memory_fraction(1.0)
    torch.cuda.empty_cache()


@pytest.fixture
def wide(digits: ImageData) -> ImageData:
    """The digits at 64 pixels, of which a batch of 1,000 takes gigabytes in a `resnet18`."""
    return replace(
        digits,
        images_NHWC=digits.images_NHWC.repeat(8, axis=1).repeat(8, axis=2),
        fingerprint="wide",
    )


def test_a_batch_that_does_not_fit_is_trained_in_parts(
    wide: ImageData, little_memory: None
) -> None:
    [epoch] = fit(build_training(DEEP, wide, CUDA, seed=0))
    assert epoch.num_micro_batches is not None
    assert epoch.num_micro_batches > 1
    assert not epoch.diverged
    assert torch.cuda.max_memory_reserved() <= device_bytes()


def test_what_splits_is_said_to_take_the_whole_gpu(wide: ImageData, little_memory: None) -> None:
    assert measure_need([DEEP], TrialInputs(data=wide), CUDA) == device_bytes()


def test_a_trial_takes_no_more_than_what_was_measured(wide: ImageData) -> None:
    need_bytes = measure_need([DEEP], TrialInputs(data=wide), CUDA)
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    list(fit(build_training({**DEEP, "epochs": 2}, wide, CUDA, seed=0)))
    assert torch.cuda.max_memory_reserved() <= 1.1 * need_bytes


def take(share: float) -> tuple[int, bool]:
    """In a process of its own: fill the share -> bytes taken, and whether more was refused."""
    prepare_process(share)
    allowed = int(memory_fraction(share, device_bytes()) * device_bytes())
    kept = [torch.empty(2**26, dtype=torch.uint8, device="cuda")]
    while free_device_bytes() > 2**26:
        kept.append(torch.empty(2**26, dtype=torch.uint8, device="cuda"))
    try:
        torch.empty(2**28, dtype=torch.uint8, device="cuda")
    except torch.OutOfMemoryError:
        return torch.cuda.memory_reserved() - allowed, True
    return torch.cuda.memory_reserved() - allowed, False


def test_two_processes_have_a_share_each() -> None:
    torch.cuda.empty_cache()
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, spawn) as pool:
        for over, refused in pool.map(take, [0.05, 0.05]):
            assert over <= 0
            assert refused


def test_the_probe_measures_on_the_gpu(digits: ImageData) -> None:
    flat = {"architecture": "cnn", "epochs": 4, "batch_size": 64}
    chosen = probe(flat, TrialInputs(data=digits), pinned=None)
    assert chosen.device == "cuda"
    assert chosen.device_name == torch.cuda.get_device_name()
