"""The classifier first, and slower near the image."""

from collections.abc import Callable

import pytest
import torch

from trainables.config import ConfigError, Runtime, ScheduleName, TrialConfig
from trainables.config.optimizers import OPTIMIZERS
from trainables.datasets import ImageData
from trainables.training.fine_tuning import group_parameters, train_layers
from trainables.training.fit import Training, build_training, fit

MakeData = Callable[..., ImageData]
CPU = Runtime(device="cpu")
FLAT = {"architecture": "cnn", "epochs": 3, "batch_size": 20, "lr": 1e-2, "optimizer": "adamw"}


def weights(training: Training) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in training.model.named_parameters()}


def test_the_classifier_alone_is_trained_first(make_data: MakeData) -> None:
    training = build_training({**FLAT, "head_epochs": 1}, make_data(), CPU, seed=0)
    start = weights(training)
    epochs = fit(training)
    next(epochs)
    first = weights(training)
    for name, tensor in first.items():
        assert torch.equal(tensor, start[name]) != name.startswith("classifier."), name
    next(epochs)
    assert not any(torch.equal(tensor, first[name]) for name, tensor in weights(training).items())


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("first_layer_lr", [0.1, 1.0])
def test_a_training_resumed_while_the_rest_waits_is_the_same_to_the_bit(
    make_data: MakeData, optimizer: str, first_layer_lr: float
) -> None:
    changes = {"optimizer": optimizer, "first_layer_lr": first_layer_lr}
    flat = {**FLAT, "head_epochs": 2, "schedule": "one_cycle", **changes}
    whole, begun, resumed = (build_training(flat, make_data(), CPU, seed=0) for _ in range(3))
    begun.run_epoch()
    resumed.load_state_dict(begun.state_dict())
    list(fit(whole))
    list(fit(resumed))
    for name, tensor in weights(whole).items():
        assert torch.equal(tensor, weights(resumed)[name]), name


def test_momentum_begins_when_a_layer_does() -> None:
    """As in torch's SGD that is not fused."""
    ours, theirs = ([torch.nn.Parameter(torch.ones(3)) for _ in range(2)] for _ in range(2))
    optimizers = [
        OPTIMIZERS["sgd"](ours, lr=0.1, l2=0.01, momentum=0.9),
        torch.optim.SGD(theirs, lr=0.1, weight_decay=0.01, momentum=0.9),
    ]
    for step in range(4):
        for parameters, optimizer in zip((ours, theirs), optimizers, strict=True):
            for parameter in parameters if step else parameters[:1]:
                parameter.grad = torch.full((3,), 1.0 + step)
            optimizer.step()
    assert not torch.equal(*theirs)
    torch.testing.assert_close(ours, theirs)


def test_the_rate_falls_from_the_classifier_to_the_image(make_data: MakeData) -> None:
    data = make_data(size=(32, 32), channels=3)
    flat = {**FLAT, "architecture": "torchvision:mobilenet_v3_small", "first_layer_lr": 0.01}
    training = build_training(flat, data, CPU, seed=0)
    rate = {
        id(parameter): group["lr"]
        for group in training._optimizer.param_groups
        for parameter in group["params"]
    }
    names = dict(training.model.named_parameters())
    assert rate.keys() == {id(parameter) for parameter in names.values()}
    in_order = [rate[id(parameter)] for parameter in names.values()]
    assert in_order == sorted(in_order)
    assert in_order[0] == pytest.approx(1e-4)
    assert in_order[-1] == rate[id(names["classifier.weight"])] == pytest.approx(1e-2)
    assert len(set(in_order)) == 13


def test_weights_that_layers_share_have_one_rate() -> None:
    model = torch.nn.Sequential(*(torch.nn.Linear(4, 4) for _ in range(3)))
    model[1].weight = model[0].weight
    config = TrialConfig(architecture="net", epochs=1, first_layer_lr=0.1)
    torch.optim.SGD(group_parameters(model, config))
    train_layers(model, all_of_them=False)
    assert not any(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize("schedule", ["constant", "cosine", "one_cycle"])
def test_a_schedule_keeps_the_shares(make_data: MakeData, schedule: ScheduleName) -> None:
    flat = {**FLAT, "first_layer_lr": 0.1, "schedule": schedule}
    training = build_training(flat, make_data(), CPU, seed=0)
    training.run_epoch()
    rates = [group["lr"] for group in training._optimizer.param_groups]
    assert rates[-1] == pytest.approx(0.1 * rates[0])


def test_a_network_of_a_classifier_alone_has_one_rate(make_data: MakeData) -> None:
    flat = {**FLAT, "architecture": "linear", "first_layer_lr": 0.1, "head_epochs": 1}
    training = build_training(flat, make_data(), CPU, seed=0)
    assert [group["lr"] for group in training._optimizer.param_groups] == [1e-2]
    assert len(list(fit(training))) == 3


def test_a_share_of_nothing_is_refused(make_data: MakeData) -> None:
    with pytest.raises(ConfigError, match=r"first_layer_lr = 0\.0: must be in"):
        build_training({**FLAT, "first_layer_lr": 0.0}, make_data(), CPU, seed=0)
