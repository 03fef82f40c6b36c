"""Build AlexNet (Krizhevsky et al. 2012) for small images, half as wide.

It has 6,199,498 parameters at 3x32x32 and ten classes. Pooling precedes the activation, as in the
report that it comes from.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from trainables.architectures._layers import ActivationName, build_activation
from trainables.architectures._recipe import TRAINING
from trainables.config.validation import Count, FractionBelowOne

MINIMUM_PIXELS = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    dense_width: Count = 2048
    activation: ActivationName = "relu"
    dropout: FractionBelowOne = 0.5  # before each of the two dense layers


RECIPE = {**TRAINING, "crop_padding": 0.05, "dropout": 0.3}


class Model(nn.Module):
    def __init__(
        self, config: Config, *, in_channels: int, image_size: tuple[int, int], num_classes: int
    ) -> None:
        super().__init__()

        def activation() -> nn.Module:
            return build_activation(config.activation)

        self.blocks = nn.Sequential(
            *(nn.Conv2d(in_channels, 48, 5, stride=2, padding=2), nn.MaxPool2d(2), activation()),
            *(nn.Conv2d(48, 128, 5, padding=2), nn.MaxPool2d(2), activation()),
            *(nn.Conv2d(128, 192, 3, padding=1), activation()),
            *(nn.Conv2d(192, 192, 3, padding=1), activation()),
            *(nn.Conv2d(192, 128, 3, padding=1), nn.MaxPool2d(2), activation()),
        )
        pixels = [(((side + 1) // 2) // 2) // 2 // 2 for side in image_size]
        size, width = 128 * pixels[0] * pixels[1], config.dense_width
        self.dense = nn.Sequential(
            *(nn.Dropout(config.dropout), nn.Linear(size, width), activation()),
            *(nn.Dropout(config.dropout), nn.Linear(width, width), activation()),
        )
        self.classifier = nn.Linear(width, num_classes)

    def features(self, images_NCHW: Tensor) -> Tensor:
        maps_NCHW = self.blocks(images_NCHW)
        features_ND: Tensor = self.dense(maps_NCHW.permute(0, 2, 3, 1).flatten(1))
        return features_ND

    def forward(self, images_NCHW: Tensor) -> Tensor:
        logits_NK: Tensor = self.classifier(self.features(images_NCHW))
        return logits_NK
