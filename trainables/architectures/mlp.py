"""Build fully connected layers on the pixels: linear, batch norm, activation, dropout."""

from dataclasses import dataclass

from torch import Tensor, nn

from trainables.architectures._layers import ActivationName, TaperName, build_activation, tapered
from trainables.architectures._recipe import TRAINING
from trainables.config.validation import Count, FractionBelowOne


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    hidden: tuple[Count, ...] = (256, 128)
    taper: TaperName = "none"  # in place of `hidden`
    batch_norm: bool = True
    activation: ActivationName = "relu"
    dropout: FractionBelowOne = 0.0


RECIPE = {**TRAINING, "crop_padding": 0.05, "dropout": 0.2}


class Model(nn.Module):
    def __init__(
        self, config: Config, *, in_channels: int, image_size: tuple[int, int], num_classes: int
    ) -> None:
        super().__init__()
        width = in_channels * image_size[0] * image_size[1]
        widths = config.hidden
        if config.taper != "none":
            widths = tapered(width, num_classes, config.taper)
        layers: list[nn.Module] = []
        for hidden in widths:
            layers.append(nn.Linear(width, hidden))
            if config.batch_norm:
                layers.append(nn.BatchNorm1d(hidden))
            layers += [build_activation(config.activation), nn.Dropout(config.dropout)]
            width = hidden
        self.hidden = nn.Sequential(*layers)
        self.classifier = nn.Linear(width, num_classes)

    def features(self, images_NCHW: Tensor) -> Tensor:
        features_ND: Tensor = self.hidden(images_NCHW.flatten(1))
        return features_ND

    def forward(self, images_NCHW: Tensor) -> Tensor:
        logits_NK: Tensor = self.classifier(self.features(images_NCHW))
        return logits_NK
