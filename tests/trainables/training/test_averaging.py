"""What predicts is the average of the weights, where a configuration asks for it."""

from collections.abc import Callable

import pytest
import torch

from trainables.config import Runtime
from trainables.datasets import ImageData
from trainables.training.fit import build_training, fit

CPU = Runtime(device="cpu")
FLAT = {"architecture": "mlp", "epochs": 3, "batch_size": 20, "lr": 1e-2}


def test_the_average_is_exponential_and_has_batch_norms_statistics(
    make_data: Callable[..., ImageData],
) -> None:
    training = build_training({**FLAT, "ema_epochs": 1.0}, make_data(train=60), CPU, seed=0)
    decay = 1 - 1 / 3  # an epoch has three steps
    names = list(training._trained.state_dict())
    steps: list[dict[str, torch.Tensor]] = []
    training.on_step = lambda: steps.append(
        {name: value.clone().double() for name, value in training._trained.state_dict().items()}
    )
    list(fit(training))
    assert len(steps) == 9
    for name in names:
        average = steps[0][name]
        for step in steps[1:]:
            average = decay * average + (1 - decay) * step[name]
        if name.endswith("num_batches_tracked"):
            continue
        torch.testing.assert_close(
            training.model.state_dict()[name].double(), average, rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("ema_epochs", [0.0, 0.5])
def test_validation_is_that_of_the_network_that_predicts(
    make_data: Callable[..., ImageData], ema_epochs: float
) -> None:
    training = build_training({**FLAT, "ema_epochs": ema_epochs}, make_data(), CPU, seed=0)
    last = list(fit(training))[-1]
    assert training.evaluate(training.inputs.placed.validation).loss == last.val_loss
    assert (training.model is training._trained) == (ema_epochs == 0)


def test_a_resumed_average_is_the_same_to_the_bit(make_data: Callable[..., ImageData]) -> None:
    flat = {**FLAT, "ema_epochs": 0.5}
    whole, first, second = (build_training(flat, make_data(), CPU, seed=0) for _ in range(3))
    list(fit(whole))
    first.run_epoch()
    second.load_state_dict(first.state_dict())
    list(fit(second))
    assert [m.val_loss for m in second.history] == [m.val_loss for m in whole.history]
