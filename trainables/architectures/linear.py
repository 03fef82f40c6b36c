"""Build multinomial logistic regression on the pixels."""

from dataclasses import dataclass

from torch import Tensor, nn

from trainables.architectures._recipe import TRAINING


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """Has no hyperparameter of its own."""


RECIPE = {**TRAINING}


class Model(nn.Module):
    def __init__(
        self, config: Config, *, in_channels: int, image_size: tuple[int, int], num_classes: int
    ) -> None:
        super().__init__()
        height, width = image_size
        self.classifier = nn.Linear(in_channels * height * width, num_classes)

    def features(self, images_NCHW: Tensor) -> Tensor:
        return images_NCHW.flatten(1)

    def forward(self, images_NCHW: Tensor) -> Tensor:
        logits_NK: Tensor = self.classifier(self.features(images_NCHW))
        return logits_NK
