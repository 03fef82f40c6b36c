"""Blocks of convolution, batch norm, ReLU and 2x2 max pooling, then fully connected layers.

Two things are written for speed and change no result. ReLU follows the pooling: both orders give
the same maximum, and this one has a quarter of the pixels to pass. Maps are flattened as they lie
in memory (channels last); the weights behind them have no order of their own.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from trainables.config import Count, FractionBelowOne


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    filters: tuple[Count, ...] = (32, 64)  # a block each; a block whose input is under 2 pixels
    dense: tuple[Count, ...] = (128,)  # does not pool
    batch_norm: bool = True
    dropout: FractionBelowOne = 0.0  # before each fully connected layer


class Model(nn.Module):
    def __init__(
        self, config: Config, *, in_channels: int, image_size: tuple[int, int], num_classes: int
    ) -> None:
        super().__init__()
        height, width = image_size
        blocks: list[nn.Module] = []
        for filters in config.filters:
            blocks.append(nn.Conv2d(in_channels, filters, 3, padding=1, bias=not config.batch_norm))
            if config.batch_norm:
                blocks.append(nn.BatchNorm2d(filters))
            if min(height, width) >= 2:
                blocks.append(nn.MaxPool2d(2))
                height, width = height // 2, width // 2
            blocks.append(nn.ReLU(inplace=True))
            in_channels = filters
        self.blocks = nn.Sequential(*blocks)
        size = in_channels * height * width
        layers: list[nn.Module] = []
        for dense in config.dense:
            layers += [nn.Dropout(config.dropout), nn.Linear(size, dense), nn.ReLU(inplace=True)]
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
