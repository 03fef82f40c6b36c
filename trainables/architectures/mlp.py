"""Fully connected layers on the pixels: linear, batch norm, ReLU, dropout."""

from dataclasses import dataclass

from torch import Tensor, nn

from trainables.config import Count, FractionBelowOne


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    hidden: tuple[Count, ...] = (256, 128)
    batch_norm: bool = True
    dropout: FractionBelowOne = 0.0


class Model(nn.Module):
    def __init__(
        self, config: Config, *, in_channels: int, image_size: tuple[int, int], num_classes: int
    ) -> None:
        super().__init__()
        width = in_channels * image_size[0] * image_size[1]
        layers: list[nn.Module] = []
        for hidden in config.hidden:
            layers.append(nn.Linear(width, hidden, bias=not config.batch_norm))
            if config.batch_norm:
                layers.append(nn.BatchNorm1d(hidden))
            layers += [nn.ReLU(inplace=True), nn.Dropout(config.dropout)]
            width = hidden
        self.hidden = nn.Sequential(*layers)
        self.classifier = nn.Linear(width, num_classes)

    def features(self, images_NCHW: Tensor) -> Tensor:
        features_ND: Tensor = self.hidden(images_NCHW.flatten(1))
        return features_ND

    def forward(self, images_NCHW: Tensor) -> Tensor:
        logits_NK: Tensor = self.classifier(self.features(images_NCHW))
        return logits_NK
