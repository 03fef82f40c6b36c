"""What a trained model costs: memory, multiply-adds, time per image."""

import resource
import statistics
import time
from typing import TYPE_CHECKING

import torch
from torch.utils.flop_counter import FlopCounterMode

from trainables.datasets.image_data import Integers

if TYPE_CHECKING:
    from trainables.fit import Training
    from trainables.trials import Trial

LATENCY_SECONDS = 0.1
"""For the repetitions of one prediction; there are at least three."""

KIBIBYTE = 1024  # the unit of ru_maxrss on Linux (getrusage(2))


def forget_peak() -> None:
    """The device's peak memory counts from now on."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def measure_cost(
    trial: "Trial", test_indices: Integers, test_seconds: float
) -> dict[str, float | int]:
    """Figures of a trained model, where it trained; those that do not apply are left out.

    `throughput` is the prediction of the test split itself, in batches of 256 (or of the whole
    split, where that is smaller), so it costs no time of its own; `latency_seconds` is the median
    of predictions of one image. Both count from decoded images, or from features where a job
    trains on these. The host's peak is that of the worker process, the shared data that it
    has touched and trials before this one included.

    Args:
        test_seconds: What the prediction of the test split took.
    """
    found: dict[str, float | int] = {
        "peak_host_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE,
        "throughput": len(test_indices) / test_seconds,
        "latency_seconds": _latency(trial, test_indices[:1]),
    }
    if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        found["peak_device_bytes"] = torch.cuda.max_memory_allocated()
    multiply_adds = trial.count_multiply_adds()
    if multiply_adds is not None:
        found["multiply_adds"] = multiply_adds
    return found


def count_multiply_adds(training: "Training") -> int:
    """Of the forward pass of one image, by torch's counter of convolutions and matrix products:
    it counts a multiply-add as two operations."""
    training.model.eval()
    image = training.inputs.plain(training.inputs.placed.test[:1])
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        training.model(image)
    return int(counter.get_total_flops()) // 2


def _latency(trial: "Trial", one: Integers) -> float:
    times: list[float] = []
    trial.predict_logits(one)
    while len(times) < 3 or sum(times) < LATENCY_SECONDS:
        started = time.perf_counter()
        trial.predict_logits(one).sum().item()  # which waits for the device
        times.append(time.perf_counter() - started)
    return statistics.median(times)
