"""Build a plain CNN: blocks of convolution, norm, activation and pooling, then dense layers.

A block has a 3x3 convolution, batch norm and 2x2 max pooling. Two things are written for speed and
change no result. A monotone activation follows the pooling: both orders give the same maximum, and
this one has a quarter of the pixels to pass. Maps are flattened as they lie in memory (channels
last); the weights behind them have no order of their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from torch import Tensor, nn

from trainables.architectures._layers import (
    MONOTONE,
    ActivationName,
    TaperName,
    build_activation,
    tapered,
)
from trainables.architectures._recipe import TRAINING
from trainables.config import ConfigError
from trainables.config.validation import Count, FractionBelowOne, Range


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    resize: Annotated[int, Range(0)] = 0  # pixels a side to average images to; 0 does not resize
    filters: tuple[Count, ...] = (32, 64)  # one block each
    pool_every: Count = 1  # blocks between two poolings; maps of a single pixel are not pooled
    same_padding: bool = True
    dense: tuple[Count, ...] = (128,)
    dense_taper: TaperName = "none"  # in place of `dense`
    batch_norm: bool = True
    norm_after_activation: bool = False  # then pooling comes last: the two do not commute
    activation: ActivationName = "relu"
    dropout: FractionBelowOne = 0.0  # before each dense layer


RECIPE = {**TRAINING, "crop_padding": 0.05, "dropout": 0.2}


class Model(nn.Module):
    def __init__(
        self, config: Config, *, in_channels: int, image_size: tuple[int, int], num_classes: int
    ) -> None:
        super().__init__()
        height, width = image_size
        blocks: list[nn.Module] = []
        if config.resize:
            height = width = config.resize
            blocks.append(nn.AdaptiveAvgPool2d(config.resize))
        for number, filters in enumerate(config.filters, start=1):
            if not config.same_padding:
                height, width = height - 2, width - 2
            pools = number % config.pool_every == 0 and min(height, width) >= 2
            if pools:
                height, width = height // 2, width // 2
            if min(height, width) < 1:
                raise ConfigError(
                    f"filters = {config.filters}: images of {image_size[0]}x{image_size[1]} pixels "
                    f"are used up at block {number}: take fewer blocks, or same_padding"
                )
            blocks += _block(config, in_channels, filters, pools=pools)
            in_channels = filters
        self.blocks = nn.Sequential(*blocks)
        size = in_channels * height * width
        widths = config.dense
        if config.dense_taper != "none":
            widths = tapered(size, num_classes, config.dense_taper)
        layers: list[nn.Module] = []
        for dense in widths:
            layers += [nn.Dropout(config.dropout), nn.Linear(size, dense)]
            layers.append(build_activation(config.activation))
            size = dense
        self.dense = nn.Sequential(*layers, nn.Dropout(config.dropout))
        self.classifier = nn.Linear(size, num_classes)

    def features(self, images_NCHW: Tensor) -> Tensor:
        maps_NCHW = self.blocks(images_NCHW)
        features_ND: Tensor = self.dense(maps_NCHW.permute(0, 2, 3, 1).flatten(1))
        return features_ND

    def forward(self, images_NCHW: Tensor) -> Tensor:
        logits_NK: Tensor = self.classifier(self.features(images_NCHW))
        return logits_NK


def _block(config: Config, channels: int, filters: int, *, pools: bool) -> Iterator[nn.Module]:
    yield nn.Conv2d(channels, filters, 3, padding=1 if config.same_padding else 0)
    norm: list[nn.Module] = [nn.BatchNorm2d(filters)] if config.batch_norm else []
    pooling: list[nn.Module] = [nn.MaxPool2d(2)] if pools else []
    activation = [build_activation(config.activation)]
    if config.norm_after_activation:
        yield from activation + norm + pooling
    elif config.activation in MONOTONE:
        yield from norm + pooling + activation
    else:
        yield from norm + activation + pooling
