"""What `cached_features.py` compares with: a frozen MobileNetV2 that sees every image anew in every
epoch of every trial, under the head that `mlp` trains on cached features."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trainables.architectures import mlp, mobilenet_v2
from trainables.config.validation import Count, FractionBelowOne


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
        network = mobilenet_v2.Model(
            mobilenet_v2.Config(),
            in_channels=in_channels,
            image_size=image_size,
            num_classes=num_classes,
        )
        self.backbone = network.backbone.requires_grad_(False)
        self.head = mlp.Model(
            mlp.Config(hidden=config.hidden, batch_norm=config.batch_norm, dropout=config.dropout),
            in_channels=network.classifier.in_features,
            image_size=(1, 1),
            num_classes=num_classes,
        )

    @property
    def classifier(self) -> nn.Linear:
        return self.head.classifier

    def features(self, images_NCHW: Tensor) -> Tensor:
        with torch.no_grad():
            seen_ND = self.backbone.eval()(images_NCHW)
        return self.head.features(seen_ND)

    def forward(self, images_NCHW: Tensor) -> Tensor:
        logits_NK: Tensor = self.classifier(self.features(images_NCHW))
        return logits_NK
