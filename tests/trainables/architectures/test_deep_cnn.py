"""System 7d of report 001, layer by layer, for its 64x64 RGB images of 96 classes."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from trainables.architectures import find_architecture
from trainables.architectures._random_layers import ROWS, RandomFlip, RandomRotation
from trainables.architectures.deep_cnn import MINIMUM_PIXELS, Config, Model
from trainables.config import ConfigError

FILTERS = [64, 128, 128, 256, 256, 256, 512]
KERNELS = [3, 3, 3, 2, 2, 1, 1]


def build(config: Config | None = None, *, size: int = 64) -> Model:
    return Model(config or Config(), in_channels=3, image_size=(size, size), num_classes=96).eval()


def flat_stages(model: Model) -> list[nn.Module]:
    return [layer for layer in model.stages.modules() if not isinstance(layer, nn.Sequential)]


def test_order_of_the_layers() -> None:
    def stage(pool: type[nn.Module], *padding: type[nn.Module]) -> list[type[nn.Module]]:
        before = [*padding, nn.Conv2d, nn.ReLU, nn.BatchNorm2d]
        return [*before, pool, nn.BatchNorm2d, nn.Dropout]

    assert [type(layer) for layer in flat_stages(build())] == [
        *stage(nn.MaxPool2d),
        *stage(nn.MaxPool2d),
        RandomRotation,
        *stage(nn.MaxPool2d),
        *stage(nn.MaxPool2d, nn.ZeroPad2d),
        RandomFlip,
        *stage(nn.MaxPool2d, nn.ZeroPad2d),
        *stage(nn.MaxPool2d),
        *stage(nn.AdaptiveAvgPool2d),
    ]
    assert [type(layer) for layer in build().dense] == [
        *[nn.Linear, nn.ReLU] * 5,
        *[nn.BatchNorm1d, nn.Dropout],
    ]


def test_published_strengths() -> None:
    model = build()
    dropouts = [layer.p for layer in model.modules() if isinstance(layer, nn.Dropout)]
    assert dropouts == [0.3] * 8
    [flip] = [layer for layer in flat_stages(model) if isinstance(layer, RandomFlip)]
    assert (flip.dim, flip.probability) == (ROWS, 0.5)
    [rotation] = [layer for layer in flat_stages(model) if isinstance(layer, RandomRotation)]
    assert rotation.degrees == 3.0


def test_shapes() -> None:
    model, shapes = build(), []
    for stage in model.stages:
        if isinstance(stage, nn.Sequential):
            stage.register_forward_hook(lambda _, __, maps: shapes.append(tuple(maps.shape[1:])))
    with torch.inference_mode():
        features_ND = model.features(torch.randn(2, 3, 64, 64))
    sides = [31, 14, 6, 3, 1, 1, 1]
    assert shapes == [(f, s, s) for f, s in zip(FILTERS, sides, strict=True)]
    assert features_ND.shape == (2, 256)


def test_larger_images_are_halved_by_the_last_strides_and_averaged() -> None:
    model, sides = build(Config(width=0.1), size=200), []
    for layer in flat_stages(model):
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(lambda _, __, maps: sides.append(maps.shape[-1]))
    assert model(torch.randn(1, 3, 200, 200)).shape == (1, 96)
    assert sides == [198, 97, 46, 23, 11, 3, 1]


def test_even_kernels_are_padded_below_and_on_the_right() -> None:
    [padding, *_] = [layer for layer in flat_stages(build()) if isinstance(layer, nn.ZeroPad2d)]
    assert padding(torch.ones(1, 1, 1, 1)).tolist() == [[[[1, 0], [0, 0]]]]


def test_parameter_count() -> None:
    convolutions = sum(
        kernel**2 * channels * filters + filters
        for kernel, channels, filters in zip(KERNELS, [3, *FILTERS], FILTERS, strict=False)
    )
    batch_norms = 2 * 2 * sum(FILTERS) + 2 * 256
    widths = [512, 3000, 1000, 512, 512, 256, 96]
    dense = sum((size + 1) * out for size, out in pairwise(widths))
    found = sum(parameter.numel() for parameter in build().parameters())
    assert found == convolutions + batch_norms + dense == 6_292_416


def test_the_smallest_images() -> None:
    small = build(Config(width=0.1), size=MINIMUM_PIXELS)
    assert small(torch.randn(1, 3, MINIMUM_PIXELS, MINIMUM_PIXELS)).shape == (1, 96)
    side = MINIMUM_PIXELS - 1
    with pytest.raises(ConfigError, match=f"--image-size {MINIMUM_PIXELS}"):
        find_architecture("deep_cnn").build(
            Config(), in_channels=3, image_size=(side, side), num_classes=96
        )
    with pytest.raises(RuntimeError, match="too small"):
        small.stages(torch.randn(1, 3, side, side))


def test_width_scales_the_filters() -> None:
    model = build(Config(width=0.25, dense=()))
    convolutions = [layer for layer in flat_stages(model) if isinstance(layer, nn.Conv2d)]
    assert [layer.out_channels for layer in convolutions] == [filters // 4 for filters in FILTERS]
    assert model.classifier.in_features == 128
