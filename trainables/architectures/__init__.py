"""Define the networks, one file each: `Config` has its own hyperparameters, `Model` is the module.

`Model(config, *, in_channels, image_size, num_classes)` has `features(images_NCHW) ->
features_ND`, a submodule `classifier`, and `forward = classifier(features)`. A file whose network
cannot take small images names the smallest side in `MINIMUM_PIXELS`; one whose `backbone` is
torchvision's network names the enum of its ImageNet weights in `IMAGENET`. `_libraries/` has the
networks that need no file.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from trainables.architectures._libraries.weights import TorchvisionWeights, Weights
from trainables.config import ConfigError
from trainables.registry import find_definition

REPLACED = ("classifier.", "head.", "backbone.fc.", "backbone.classifier.")
"""Layers of these names stand behind the features: they are new in every task."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """Holds what an architecture's module defines.

    Attributes:
        imagenet: The weights that `--weights imagenet` names, if it has any.
        replaced: The first names of layers whose weights are new in every task.
    """

    name: str
    Config: type[Any]
    Model: Callable[..., nn.Module]
    minimum_pixels: int
    imagenet: Weights | None
    replaced: tuple[str, ...]

    def build(
        self, config: Any, *, in_channels: int, image_size: tuple[int, int], num_classes: int
    ) -> nn.Module:
        """Build a fresh model on the CPU.

        Raises:
            ConfigError: The images are too small for it.
        """
        if min(image_size) < self.minimum_pixels:
            raise ConfigError(
                f"image_size = {min(image_size)}: {self.name} needs images of at least "
                f"{self.minimum_pixels} pixels a side: give --image-size {self.minimum_pixels}"
            )
        return self.Model(
            config, in_channels=in_channels, image_size=image_size, num_classes=num_classes
        )


def find_architecture(name: str) -> Architecture:
    """Find the architecture in a file of this folder, or at a dotted path (`my_pkg.net`).

    Raises:
        ConfigError: There is no such module, or it lacks `Config` or `Model`.
    """
    found = find_definition(name, "architectures", ("Config", "Model"))
    imagenet = getattr(found, "IMAGENET", None)
    return Architecture(
        name=name,
        Config=found.Config,
        Model=found.Model,
        minimum_pixels=getattr(found, "MINIMUM_PIXELS", 1),
        imagenet=TorchvisionWeights(imagenet) if isinstance(imagenet, str) else imagenet,
        replaced=getattr(found, "REPLACED", REPLACED),
    )
