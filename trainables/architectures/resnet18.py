"""ResNet-18 (He et al. 2016, https://arxiv.org/abs/1512.03385), torchvision's.

Images under 64 pixels get the paper's CIFAR stem: a 3x3 convolution of stride 1, no pooling.
"""

from dataclasses import dataclass

from torch import Tensor, nn
from torchvision.models import resnet18

from trainables.config import FractionBelowOne

SMALL_PIXELS = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    dropout: FractionBelowOne = 0.0  # before the classifier


class Model(nn.Module):
    def __init__(
        self, config: Config, *, in_channels: int, image_size: tuple[int, int], num_classes: int
    ) -> None:
        super().__init__()
        self.backbone = resnet18(weights=None)
        small = min(image_size) < SMALL_PIXELS
        kernel, stride = (3, 1) if small else (7, 2)
        stem = nn.Conv2d(in_channels, 64, kernel, stride, padding=kernel // 2, bias=False)
        self.backbone.conv1 = stem
        if small:
            self.backbone.maxpool = nn.Identity()
        nn.init.kaiming_normal_(stem.weight, mode="fan_out", nonlinearity="relu")
        width = self.backbone.fc.in_features
        self.backbone.fc = nn.Identity()
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(width, num_classes)

    def features(self, images_NCHW: Tensor) -> Tensor:
        features_ND: Tensor = self.dropout(self.backbone(images_NCHW))
        return features_ND

    def forward(self, images_NCHW: Tensor) -> Tensor:
        logits_NK: Tensor = self.classifier(self.features(images_NCHW))
        return logits_NK
