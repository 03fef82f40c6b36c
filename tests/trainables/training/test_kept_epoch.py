"""The model that a training leaves is that of its best epoch, where it is asked for."""

from collections.abc import Callable

import pytest

from tests.trainables.training.trainings import CPU, MLP, figures, same_weights
from trainables.datasets import ImageData
from trainables.training.fit import build_training, fit

MakeData = Callable[..., ImageData]


BEST = {**MLP, "epochs": 8, "lr": 3.0, "optimizer": "sgd", "momentum": 0.0, "keep": "log_loss"}


@pytest.mark.parametrize("ema_epochs", [0.0, 0.5])
def test_the_best_epoch_is_kept_and_said(make_data: MakeData, ema_epochs: float) -> None:
    data, flat = make_data(), {**BEST, "ema_epochs": ema_epochs}
    last = build_training({**flat, "keep": "last"}, data, CPU, seed=0)
    losses = [report.val_loss for report in fit(last)]
    best = losses.index(min(losses)) + 1
    assert best < 8
    training = build_training(flat, data, CPU, seed=0)
    reports = list(fit(training))
    assert [report.kept_epoch for report in reports] == [None] * 7 + [best]
    assert [report.val_loss for report in reports] == [*losses[:7], min(losses)]
    assert training.evaluate(training.inputs.placed.validation).loss == min(losses)
    until = build_training({**flat, "keep": "last"}, data, CPU, seed=0)
    for _ in range(best):
        until.run_epoch()
    assert same_weights(training, until)


def test_a_resumed_training_keeps_the_epoch_that_was_best_before(make_data: MakeData) -> None:
    straight = build_training(BEST, make_data(), CPU, seed=0)
    reports = figures(list(fit(straight)))
    first, second = (build_training(BEST, make_data(), CPU, seed=0) for _ in range(2))
    for _ in range(7):
        first.run_epoch()
    second.load_state_dict(first.state_dict())
    assert figures(list(fit(second))) == reports[7:]
    assert same_weights(straight, second)
