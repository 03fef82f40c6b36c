"""A seed gives the same training to the bit, also where it was interrupted."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from torch import nn

from tests.trainables.training.trainings import CPU, HARD, MLP, figures, same_weights
from trainables.config import ScheduleName
from trainables.config.optimizers import OPTIMIZERS
from trainables.datasets import ImageData
from trainables.storage import LocalStorage
from trainables.training.device import memory_format
from trainables.training.fit import _epoch_seeds, build_training, fit
from trainables.training.normalisation import train_normalisation
from trainables.trials.checkpoint import Checkpoints

MakeData = Callable[..., ImageData]


@pytest.mark.parametrize("architecture", ["mlp", "cnn"])
def test_same_seed_gives_the_same_to_the_bit(make_data: MakeData, architecture: str) -> None:
    flat = {"architecture": architecture, "epochs": 2, "batch_size": 16, **HARD}
    one, same, other = (build_training(flat, make_data(), CPU, seed=seed) for seed in (11, 11, 12))
    reports = figures(list(fit(one)))
    assert figures(list(fit(same))) == reports
    assert same_weights(one, same)
    assert figures(list(fit(other))) != reports


@pytest.mark.parametrize("channels_last", [False, True])
def test_the_weights_are_to_the_bit_those_of_a_loop_as_torch_teaches_it(
    make_data: MakeData, channels_last: bool
) -> None:
    data = make_data(channels=3)
    runtime = replace(CPU, channels_last=channels_last)
    flat = {"architecture": "cnn", "epochs": 2, "batch_size": 16, "lr": 3e-3, "optimizer": "sgd"}
    training, other = (build_training(flat, data, runtime, seed=4) for _ in range(2))
    list(fit(training))

    network = other.model.train()
    optimizer = torch.optim.SGD(network.parameters(), lr=3e-3, momentum=other.config.momentum)
    chosen_N = torch.from_numpy(data.train_indices)
    pixels_NHWC = torch.from_numpy(data.images_NHWC)[chosen_N].float()
    given = train_normalisation(data)
    mean, scale = torch.tensor(given.mean) * 255, 1 / (torch.tensor(given.std) * 255)
    images_NCHW = torch.addcmul(-mean * scale, pixels_NHWC, scale).permute(0, 3, 1, 2)
    labels_N = torch.from_numpy(data.labels_N)[chosen_N]
    for epoch in range(2):
        _, seed = _epoch_seeds(4, epoch)
        order_N = torch.randperm(len(labels_N), generator=torch.Generator().manual_seed(seed))
        for batch_N in order_N.tensor_split(training.num_steps):
            batch_NCHW = images_NCHW[batch_N].contiguous(memory_format=memory_format(runtime))
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(network(batch_NCHW), labels_N[batch_N])
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    assert same_weights(training, other)


def test_what_else_draws_random_numbers_does_not_matter(make_data: MakeData) -> None:
    one, same = (build_training({**MLP, **HARD}, make_data(), CPU, seed=0) for _ in range(2))
    expected = figures(list(fit(one)))
    reports = []
    for report in fit(same):
        torch.rand(7)
        np.random.default_rng().random()
        reports.append(report)
    assert figures(reports) == expected


def test_the_data_set_tells_apart_what_a_worker_has_placed(make_data: MakeData) -> None:
    first = build_training(MLP, make_data(seed=1), CPU, seed=0)
    second = build_training(MLP, make_data(seed=2), CPU, seed=0)
    again = build_training(MLP, make_data(seed=1), CPU, seed=0)
    expected = figures(list(fit(first)))
    assert figures(list(fit(second))) != expected
    assert figures(list(fit(again))) == expected


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", get_args(ScheduleName))
def test_resuming_gives_the_same_to_the_bit(
    make_data: MakeData, tmp_path: Path, schedule: str, optimizer: str
) -> None:
    data = make_data()
    flat = {**MLP, **HARD, "schedule": schedule, "optimizer": optimizer}
    whole = build_training(flat, data, CPU, seed=5)
    expected = figures(list(fit(whole)))

    interrupted = build_training(flat, data, CPU, seed=5)
    for _ in range(2):
        interrupted.run_epoch()
    folder = Checkpoints(LocalStorage(tmp_path))
    folder.save(interrupted.epoch, interrupted.state_dict())

    resumed = build_training(flat, data, CPU, seed=5)
    state = folder.load_newest().state
    assert state is not None
    resumed.load_state_dict(state)
    assert resumed.epoch == 2
    assert [report.epoch for report in fit(resumed)] == [3, 4]
    assert figures(resumed.history) == expected
    assert same_weights(resumed, whole)
