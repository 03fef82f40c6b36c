"""Build seven convolutions and five dense layers for images of 64 pixels, with augmented maps.

The network comes from a report on 96 generated classes. Every stage normalises twice, before and
after pooling; between stages the maps are turned and flipped while training.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from torch import Tensor, nn

from trainables.architectures._layers import (
    ActivationName,
    build_activation,
    build_dense,
    scaled,
)
from trainables.architectures._random_layers import ROWS, RandomFlip, RandomRotation
from trainables.architectures._recipe import TRAINING
from trainables.config.validation import Count, Fraction, FractionBelowOne, Positive, Range

MINIMUM_PIXELS = 46


class Stage(NamedTuple):
    """Describes a convolution and the pooling behind it."""

    filters: int
    kernel: int
    stride: int = 1
    same: bool = False  # padded below and on the right, as TensorFlow pads for an even kernel
    pool: int | None = 2  # pixels a side, moved by two; None is global average pooling


STAGES = (
    Stage(64, kernel=3),
    Stage(128, kernel=3),
    Stage(128, kernel=3),
    Stage(256, kernel=2, same=True),
    Stage(256, kernel=2, same=True),
    Stage(256, kernel=1, stride=2, pool=1),
    Stage(512, kernel=1, stride=2, pool=None),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    width: Positive = 1.0  # times the filters
    activation: ActivationName = "relu"
    dropout: FractionBelowOne = 0.3  # after each convolutional stage
    dense: tuple[Count, ...] = (3000, 1000, 512, 512, 256)
    dense_dropout: FractionBelowOne = 0.3  # before the classifier
    map_rotation_degrees: Annotated[float, Range(0, 180)] = 3.0  # after the second stage
    map_flip: Fraction = 0.5  # probability, vertically, after the fourth stage


RECIPE = {**TRAINING, "crop_padding": 0.05}


class Model(nn.Module):
    def __init__(
        self, config: Config, *, in_channels: int, image_size: tuple[int, int], num_classes: int
    ) -> None:
        super().__init__()
        channels = in_channels
        stages: list[nn.Module] = []
        for stage in STAGES:
            filters = scaled(stage.filters, config.width)
            stages.append(nn.Sequential(*_layers(config, stage, channels, filters)))
            channels = filters
        self.stages = nn.Sequential(
            *(*stages[:2], RandomRotation(config.map_rotation_degrees)),
            *(*stages[2:4], RandomFlip(config.map_flip, ROWS)),
            *stages[4:],
        )
        widths = [channels, *config.dense]
        self.dense = build_dense(widths, config.activation, config.dense_dropout)
        self.classifier = nn.Linear(widths[-1], num_classes)

    def features(self, images_NCHW: Tensor) -> Tensor:
        features_ND: Tensor = self.dense(self.stages(images_NCHW).flatten(1))
        return features_ND

    def forward(self, images_NCHW: Tensor) -> Tensor:
        logits_NK: Tensor = self.classifier(self.features(images_NCHW))
        return logits_NK


def _layers(config: Config, stage: Stage, channels: int, filters: int) -> Iterator[nn.Module]:
    if stage.same:
        yield nn.ZeroPad2d((0, stage.kernel - 1, 0, stage.kernel - 1))
    yield nn.Conv2d(channels, filters, stage.kernel, stage.stride)
    yield build_activation(config.activation)
    yield nn.BatchNorm2d(filters)
    yield nn.AdaptiveAvgPool2d(1) if stage.pool is None else nn.MaxPool2d(stage.pool, stride=2)
    yield nn.BatchNorm2d(filters)
    yield nn.Dropout(config.dropout)
