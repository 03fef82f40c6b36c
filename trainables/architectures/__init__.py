"""One file per architecture: `Config`, its own knobs, and `Model`.

`Model(config, *, in_channels, image_size, num_classes)` has `features(images_NCHW) ->
features_ND`, a submodule `classifier`, and `forward = classifier(features)`. A module that cannot
take small images says so in `MINIMUM_PIXELS`; one whose `backbone` is torchvision's network names
the enum of its ImageNet weights in `IMAGENET`.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from trainables.config import ConfigError, nearest


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
    module = find_module(name)
    missing = [part for part in ("Config", "Model") if not hasattr(module, part)]
    if missing:
        raise ConfigError(f"architecture = {name!r}: the module has no {' and no '.join(missing)}")
    minimum_pixels = getattr(module, "MINIMUM_PIXELS", 1)
    imagenet = getattr(module, "IMAGENET", None)
    return Architecture(name, module.Config, module.Model, minimum_pixels, imagenet)


def find_module(name: str) -> ModuleType:
    """The module of an architecture here, or at a dotted path."""
    known = sorted(p.stem for p in Path(__file__).parent.glob("[!_]*.py"))
    dotted = "." in name and all(part.isidentifier() for part in name.split("."))
    if not dotted and name not in known:
        raise ConfigError(
            f"architecture = {name!r}: must be one of {', '.join(known)}, or the dotted path of a "
            f"module of yours{nearest(name, known)}"
        )
    path = name if dotted else f"{__name__}.{name}"
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError as error:
        raise ConfigError(f"architecture = {name!r}: {error}; is it on PYTHONPATH?") from error
