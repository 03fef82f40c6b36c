"""Build torchvision's MobileNetV2 (Sandler et al. 2018, https://arxiv.org/abs/1801.04381).

For images under 64 pixels the first convolution has stride 1. The shape of its weights stays the
same, so that pretrained weights fit.
"""

from dataclasses import dataclass

from torch import nn
from torchvision.models import mobilenet_v2

from trainables.architectures._backbone import (
    BackboneConfig,
    BackboneModel,
    build_stem,
    has_small_stem,
)
from trainables.architectures._recipe import TRAINING
from trainables.config.validation import FractionBelowOne

IMAGENET = "MobileNet_V2_Weights.IMAGENET1K_V2"


@dataclass(frozen=True, kw_only=True, slots=True)
class Config(BackboneConfig):
    dropout: FractionBelowOne = 0.2


RECIPE = {**TRAINING, "lr": 0.001, "crop_padding": 0.1}


class Model(BackboneModel):
    def __init__(
        self, config: Config, *, in_channels: int, image_size: tuple[int, int], num_classes: int
    ) -> None:
        backbone = mobilenet_v2(weights=None)
        small = has_small_stem(config.stem, image_size)
        if small or in_channels != 3:
            stem = build_stem(in_channels, 32, kernel=3, stride=1 if small else 2)
            backbone.features[0][0] = stem
        backbone.classifier = nn.Identity()
        super().__init__(backbone, backbone.last_channel, config, num_classes=num_classes)
