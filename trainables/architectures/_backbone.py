"""Build classifiers on backbones: a choice of stem, dense layers, a classifier."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from trainables.config.validation import Count, FractionBelowOne

OWN_LAYERS = ("classifier.", "head.")
"""Layers of these names stand behind the features, in every model."""

SMALL_PIXELS = 64

StemName = Literal["auto", "imagenet", "small"]
"""`imagenet` is torchvision's own stem, `small` one that keeps more pixels; `auto` takes `small`
for images under `SMALL_PIXELS` pixels."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HeadConfig:
    head: tuple[Count, ...] = ()  # dense layers between backbone and classifier
    dropout: FractionBelowOne = 0.0  # before each of them and before the classifier


@dataclass(frozen=True, kw_only=True, slots=True)
class BackboneConfig(HeadConfig):
    stem: StemName = "auto"


class BackboneModel(nn.Module):
    """Turns images into vectors of `width` by `backbone`, then applies `head` and `classifier`."""

    def __init__(
        self, backbone: nn.Module, width: int, config: HeadConfig, *, num_classes: int
    ) -> None:
        super().__init__()
        self.backbone = backbone
        layers: list[nn.Module] = []
        for dense in config.head:
            layers += [nn.Dropout(config.dropout), nn.Linear(width, dense), nn.ReLU(inplace=True)]
            width = dense
        self.head = nn.Sequential(*layers)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(width, num_classes)

    def features(self, images_NCHW: Tensor) -> Tensor:
        features_ND: Tensor = self.dropout(self.head(self.backbone(images_NCHW)))
        return features_ND

    def forward(self, images_NCHW: Tensor) -> Tensor:
        logits_NK: Tensor = self.classifier(self.features(images_NCHW))
        return logits_NK


def has_small_stem(stem: StemName, image_size: tuple[int, int]) -> bool:
    match stem:
        case "small":
            return True
        case "imagenet":
            return False
        case "auto":
            return min(image_size) < SMALL_PIXELS


def build_stem(in_channels: int, filters: int, *, kernel: int, stride: int) -> nn.Conv2d:
    """Build a first convolution with the initial weights that torchvision gives its own."""
    stem = nn.Conv2d(in_channels, filters, kernel, stride, padding=kernel // 2, bias=False)
    nn.init.kaiming_normal_(stem.weight, mode="fan_out", nonlinearity="relu")
    return stem
