"""Adapt torchvision's residual networks of every depth to small images."""

from collections.abc import Callable

from torch import nn
from torchvision.models import ResNet

from trainables.architectures._backbone import (
    BackboneConfig,
    BackboneModel,
    build_stem,
    has_small_stem,
)


class ResNetModel(BackboneModel):
    """Puts the network of a subclass under the stem that `config` chooses.

    The small stem is the paper's for CIFAR-10: a 3x3 convolution of stride 1, no pooling.
    """

    build: Callable[..., ResNet]
    """Makes torchvision's network, by its weights."""

    def __init__(
        self,
        config: BackboneConfig,
        *,
        in_channels: int,
        image_size: tuple[int, int],
        num_classes: int,
    ) -> None:
        resnet = self.build(weights=None)
        if has_small_stem(config.stem, image_size):
            resnet.conv1 = build_stem(in_channels, 64, kernel=3, stride=1)
            resnet.maxpool = nn.Identity()
        elif in_channels != 3:
            resnet.conv1 = build_stem(in_channels, 64, kernel=7, stride=2)
        width = resnet.fc.in_features
        resnet.fc = nn.Identity()
        super().__init__(resnet, width, config, num_classes=num_classes)
