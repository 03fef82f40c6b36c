"""The order of a plain convolutional network's layers."""

import pytest
from torch import nn

from trainables.architectures.cnn import Config, Model


@pytest.mark.parametrize(
    ("config", "order"),
    [
        (Config(), [nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d, nn.ReLU]),
        (Config(activation="gelu"), [nn.Conv2d, nn.BatchNorm2d, nn.GELU, nn.MaxPool2d]),
        (
            Config(norm_after_activation=True),
            [nn.Conv2d, nn.ReLU, nn.BatchNorm2d, nn.MaxPool2d],
        ),
        (
            Config(norm_after_activation=True, batch_norm=False),
            [nn.Conv2d, nn.ReLU, nn.MaxPool2d],
        ),
    ],
)
def test_order_of_a_block(config: Config, order: list[type[nn.Module]]) -> None:
    model = Model(config, in_channels=3, image_size=(32, 32), num_classes=96)
    assert [type(layer) for layer in model.blocks] == order * 2
