"""What a trial needs of a GPU's memory."""

from collections.abc import Callable

import pytest
import torch

from trainables.config import Runtime
from trainables.datasets import ImageData
from trainables.training.device import memory_fraction, prepare_process
from trainables.trials.inputs import TrialInputs
from trainables.worker.gpu_memory import device_bytes, measure_need, rehearse

MakeData = Callable[..., ImageData]

LARGE = {"architecture": "mlp", "hidden_1": 4096, "batch_size": 30, "epochs": 4}
SMALL = {"architecture": "mlp", "hidden_1": 8, "batch_size": 30, "epochs": 4}

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def test_full_batches_are_trained_and_evaluated(make_data: MakeData) -> None:
    report = rehearse(SMALL, TrialInputs(data=make_data(train=100)), Runtime(device="cpu"))
    assert (report.epoch, report.num_micro_batches) == (1, 1)
    assert not report.diverged


def test_the_data_are_placed_anew_for_the_trials(make_data: MakeData) -> None:
    """What was placed for the measurement are few images: no trial may train on them."""
    from trainables.training.fit import build_training

    data = make_data(train=100)
    rehearse(SMALL, TrialInputs(data=data), Runtime(device="cpu"))
    training = build_training(SMALL, data, Runtime(device="cpu"), seed=0)
    assert len(training.inputs.placed.train) == 100


@needs_gpu
def test_the_largest_counts(make_data: MakeData) -> None:
    given, runtime = TrialInputs(data=make_data()), Runtime(device="cuda")
    small, large = (measure_need([config], given, runtime) for config in (SMALL, LARGE))
    assert small < large < device_bytes()
    assert measure_need([LARGE, SMALL], given, runtime) >= large


@needs_gpu
def test_a_share_of_a_gpu_limits_its_memory() -> None:
    prepare_process(0.5)
    try:
        allowed = int(memory_fraction(0.5, device_bytes()) * device_bytes())
        with pytest.raises(torch.OutOfMemoryError):
            torch.empty(allowed + 2**28, dtype=torch.uint8, device="cuda")
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
