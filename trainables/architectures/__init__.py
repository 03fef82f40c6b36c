"""One file per architecture: `Config`, its own knobs, and `Model`.

`Model(config, *, in_channels, image_size, num_classes)` has `features(images_NCHW) ->
features_ND`, a submodule `classifier`, and `forward = classifier(features)`. A module that cannot
take small images says so in `MINIMUM_PIXELS`; one whose `backbone` is torchvision's network names
the enum of its ImageNet weights in `IMAGENET`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from trainables.config import ConfigError
from trainables.registry import find_module


@dataclass(frozen=True, slots=True)
class Architecture:
    name: str
    Config: type[Any]
    Model: Callable[..., nn.Module]
    minimum_pixels: int
    imagenet: str | None

    def build(
        self, config: Any, *, in_channels: int, image_size: tuple[int, int], num_classes: int
    ) -> nn.Module:
        """A fresh model on the CPU; raises `ConfigError` for images that are too small for it."""
        if min(image_size) < self.minimum_pixels:
            raise ConfigError(
                f"image_size = {min(image_size)}: {self.name} needs images of at least "
                f"{self.minimum_pixels} pixels a side: give --image-size {self.minimum_pixels}"
            )
        return self.Model(
            config, in_channels=in_channels, image_size=image_size, num_classes=num_classes
        )


def find_architecture(name: str) -> Architecture:
    """The architecture of a module here, or of a dotted path that can be imported (`my_pkg.net`).

    Raises:
        ConfigError: There is no such module, or it lacks `Config` or `Model`.
    """
    module = find_module(name, "architectures", ("Config", "Model"))
    minimum_pixels = getattr(module, "MINIMUM_PIXELS", 1)
    imagenet = getattr(module, "IMAGENET", None)
    return Architecture(name, module.Config, module.Model, minimum_pixels, imagenet)
