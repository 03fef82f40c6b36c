"""Build VGG-16 (Simonyan & Zisserman 2015, https://arxiv.org/abs/1409.1556) for 64 pixels a side.

This is the variant of a report on 96 generated classes, not torchvision's: batch norm follows the
activation, the first convolution has no padding, dropout follows every pooling, and feature maps
are flipped after the first stage and turned after the last.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

from torch import Tensor, nn

from trainables.architectures._layers import (
    ActivationName,
    build_activation,
    build_dense,
    scaled,
)
from trainables.architectures._random_layers import COLUMNS, ROWS, RandomFlip, RandomRotation
from trainables.architectures._recipe import TRAINING
from trainables.config.validation import Count, Fraction, FractionBelowOne, Positive, Range

MINIMUM_PIXELS = 34

STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Filters of the 3x3 convolutions between two poolings."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    width: Positive = 1.0  # times the filters
    activation: ActivationName = "relu"
    dropout: FractionBelowOne = 0.6  # after each pooling
    dense: tuple[Count, ...] = (4069, 4069, 512)  # 4069 is the report's number
    dense_dropout: FractionBelowOne = 0.7  # before the classifier
    map_flip: Fraction = 0.5  # probability, horizontally and vertically each
    map_rotation_degrees: Annotated[float, Range(0, 180)] = 3.0


RECIPE = {**TRAINING, "lr": 0.001, "crop_padding": 0.1}


class Model(nn.Module):
    def __init__(
        self, config: Config, *, in_channels: int, image_size: tuple[int, int], num_classes: int
    ) -> None:
        super().__init__()
        channels = in_channels
        stages: list[nn.Module] = []
        for filters in STAGES:
            widths = [channels, *(scaled(f, config.width) for f in filters)]
            stages.append(nn.Sequential(*_stage(config, widths, first=not stages)))
            channels = widths[-1]
        self.stages = nn.Sequential(
            stages[0],
            *(RandomFlip(config.map_flip, COLUMNS), RandomFlip(config.map_flip, ROWS)),
            *stages[1:],
            RandomRotation(config.map_rotation_degrees),
        )
        height, width = ((side - 2) // 2 ** len(STAGES) for side in image_size)
        widths = [channels * height * width, *config.dense]
        self.dense = build_dense(widths, config.activation, config.dense_dropout)
        self.classifier = nn.Linear(widths[-1], num_classes)

    def features(self, images_NCHW: Tensor) -> Tensor:
        features_ND: Tensor = self.dense(self.stages(images_NCHW).flatten(1))
        return features_ND

    def forward(self, images_NCHW: Tensor) -> Tensor:
        logits_NK: Tensor = self.classifier(self.features(images_NCHW))
        return logits_NK


def _stage(config: Config, widths: list[int], *, first: bool) -> Iterator[nn.Module]:
    for number, (channels, filters) in enumerate(pairwise(widths)):
        yield nn.Conv2d(channels, filters, 3, padding=0 if first and number == 0 else 1)
        yield build_activation(config.activation)
        yield nn.BatchNorm2d(filters)
    yield nn.MaxPool2d(2)
    yield nn.Dropout(config.dropout)
