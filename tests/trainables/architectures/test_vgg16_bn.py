"""The VGG-16 of report 001, layer by layer, for its 64x64 RGB images of 96 classes."""

import pytest
import torch
from torch import Tensor, nn

from trainables.architectures import find_architecture
from trainables.architectures._random_layers import COLUMNS, ROWS, RandomFlip, RandomRotation
from trainables.architectures.vgg16_bn import MINIMUM_PIXELS, Config, Model
from trainables.config import ConfigError

FILTERS = [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]


def build(config: Config | None = None, *, size: int = 64) -> Model:
    return Model(config or Config(), in_channels=3, image_size=(size, size), num_classes=96).eval()


def flat_stages(model: Model) -> list[nn.Module]:
    return [layer for layer in model.stages.modules() if not isinstance(layer, nn.Sequential)]


def test_order_of_the_layers() -> None:
    block = [nn.Conv2d, nn.ReLU, nn.BatchNorm2d]
    end = [nn.MaxPool2d, nn.Dropout]
    two, three = block * 2 + end, block * 3 + end
    flips = [RandomFlip, RandomFlip]
    assert [type(layer) for layer in flat_stages(build())] == [
        *(*two, *flips, *two),
        *(three * 3),
        RandomRotation,
    ]
    assert [type(layer) for layer in build().dense] == [
        *[nn.Linear, nn.ReLU] * 3,
        *[nn.BatchNorm1d, nn.Dropout],
    ]


def test_published_strengths() -> None:
    model = build()
    dropouts = [layer.p for layer in flat_stages(model) if isinstance(layer, nn.Dropout)]
    assert dropouts == [0.6] * 5
    assert [layer.p for layer in model.dense if isinstance(layer, nn.Dropout)] == [0.7]
    flips = [layer for layer in flat_stages(model) if isinstance(layer, RandomFlip)]
    assert {flip.dim for flip in flips} == {ROWS, COLUMNS}
    assert [flip.probability for flip in flips] == [0.5, 0.5]


def test_shapes() -> None:
    model, shapes = build(), []
    for layer in flat_stages(model):
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(lambda _, __, maps: shapes.append(tuple(maps.shape[1:])))
    with torch.inference_mode():
        maps_NCHW: Tensor = model.stages(torch.randn(2, 3, 64, 64))
    sides = [62, 62, 31, 31, 15, 15, 15, 7, 7, 7, 3, 3, 3]
    assert shapes == [(f, s, s) for f, s in zip(FILTERS, sides, strict=True)]
    assert maps_NCHW.flatten(1).shape == (2, 512)


def test_parameter_count() -> None:
    convolutions = sum(
        9 * channels * filters + filters
        for channels, filters in zip([3, *FILTERS], FILTERS, strict=False)
    )
    batch_norms = 2 * sum(FILTERS) + 2 * 512
    dense = (512 + 1) * 4069 + (4069 + 1) * 4069 + (4069 + 1) * 512 + (512 + 1) * 96
    found = sum(parameter.numel() for parameter in build().parameters())
    assert found == convolutions + batch_norms + dense == 35_505_475


def test_the_smallest_images() -> None:
    small = build(Config(width=0.1), size=MINIMUM_PIXELS)
    assert small(torch.randn(1, 3, MINIMUM_PIXELS, MINIMUM_PIXELS)).shape == (1, 96)
    side = MINIMUM_PIXELS - 1
    with pytest.raises(ConfigError, match=f"--image-size {MINIMUM_PIXELS}"):
        find_architecture("vgg16_bn").build(
            Config(), in_channels=3, image_size=(side, side), num_classes=96
        )
    with pytest.raises(RuntimeError, match="too small"):
        small.stages(torch.randn(1, 3, side, side))


def test_width_scales_the_filters() -> None:
    model = build(Config(width=0.25, dense=()))
    convolutions = [layer for layer in flat_stages(model) if isinstance(layer, nn.Conv2d)]
    assert [layer.out_channels for layer in convolutions] == [filters // 4 for filters in FILTERS]
    assert model.classifier.in_features == 128
