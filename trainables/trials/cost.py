"""Measure what a trained model costs: memory, multiply-adds, time per image."""

import resource
import statistics
import sys
import time

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from trainables.datasets import ImageData
from trainables.metrics import Cost
from trainables.trials.trial import Trial

LATENCY_SECONDS = 0.1
"""The prediction of one image is repeated for this long, and at least three times."""


def forget_peak() -> None:
    """Make the device's peak memory count from now on."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def measure_cost(trial: Trial, data: ImageData, test_seconds: float) -> Cost:
    """Measure a trained model.

    `throughput` is that of the prediction of the test split itself, in batches of 256 (or of the
    whole split, where that is smaller), so it costs no time of its own. It counts from decoded
    images, or from features where a job trains on these; `latency_seconds` always from an image.

    Args:
        test_seconds: The duration of the prediction of the test split.
    """
    # An estimator beside a GPU has allocated nothing there: its peak is none, not 0 bytes.
    on_gpu = torch.cuda.is_available() and torch.cuda.max_memory_allocated()
    return Cost(
        peak_host_bytes=peak_host_bytes(),
        throughput=len(data.test_indices) / test_seconds,
        peak_device_bytes=torch.cuda.max_memory_allocated() if on_gpu else None,
        latency_seconds=_latency(trial, data),
        multiply_adds=trial.count_multiply_adds(),
    )


def count_multiply_adds(model: nn.Module, image_NCHW: Tensor) -> int:
    """Count the multiply-adds of one prediction by torch's counter of convolutions and matrix
    products, which counts each as two operations."""
    model.eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(image_NCHW)
    return int(counter.get_total_flops()) // 2


def peak_host_bytes() -> int:
    """Return the peak memory of this process; getrusage(2) counts KiB on Linux, bytes on macOS."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@torch.inference_mode()
def _latency(trial: Trial, data: ImageData) -> float:
    """Time the prediction of a decoded image, and of the features that it is predicted from."""
    one, front = data.test_indices[:1], trial.build_front()
    image_NHWC = torch.tensor(data.images_NHWC[one])
    if front is not None and torch.cuda.is_available():
        front, image_NHWC = front.to("cuda"), image_NHWC.to("cuda")

    def predict() -> None:
        if front is not None:
            front(image_NHWC).sum().item()  # which waits for the device
        trial.predict_logits(one).sum().item()

    times: list[float] = []
    predict()  # not counted: the first call allocates and picks algorithms
    while len(times) < 3 or sum(times) < LATENCY_SECONDS:
        started = time.perf_counter()
        predict()
        times.append(time.perf_counter() - started)
    return statistics.median(times)
