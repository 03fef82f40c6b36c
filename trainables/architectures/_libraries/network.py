"""Put a classifier of ours on a library's network, and say which images it takes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from trainables.architectures._backbone import OWN_LAYERS, BackboneModel, HeadConfig
from trainables.architectures._libraries.weights import Weights
from trainables.architectures._recipe import TRAINING
from trainables.config import ConfigError

SIDES = range(16, 1024 + 1, 16)
"""Sides in pixels that an error may propose."""

NOT_TAKEN = (RuntimeError, ValueError, AssertionError)
"""What networks raise for images that they cannot take."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Config(HeadConfig):
    """Has the hyperparameters of the layers behind the network; its own dropout stays as it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Backbone:
    """Holds a library's network, which turns images into vectors.

    Attributes:
        replaced: The first names of its own classifier's weights, which is taken off.
        adapted: Turns weights by the library's names into those of this network: of older names,
            or trained at another image size.
    """

    network: nn.Module
    replaced: tuple[str, ...]
    adapted: Callable[[nn.Module, Mapping[str, Tensor]], dict[str, Tensor]]


@dataclass(frozen=True, kw_only=True, slots=True)
class LibraryNetwork:
    """Defines `LIBRARY:NAME` as a file defines an architecture.

    Attributes:
        name: The name with its library's.
        build_backbone: Builds the network for a number of channels and an image size, or raises
            one of `NOT_TAKEN`.
    """

    name: str
    build_backbone: Callable[[int, tuple[int, int]], Backbone]
    IMAGENET: Weights | None
    Config: type[Config] = Config
    RECIPE: Mapping[str, Any] = field(
        default_factory=lambda: {
            **TRAINING,
            "lr": 0.001,
            "crop_padding": 0.1,
            "normalisation": "weights",
            "head_epochs": 1,
            "first_layer_lr": 0.1,
        }
    )
    REPLACED: tuple[str, ...] = OWN_LAYERS

    def Model(  # noqa: N802  # stands where a file has a class
        self, config: HeadConfig, *, in_channels: int, image_size: tuple[int, int], num_classes: int
    ) -> "LibraryModel":
        """Build the network with a classifier for `num_classes`.

        Raises:
            ConfigError: It cannot take images of this size.
        """
        try:
            backbone = self.build_backbone(in_channels, image_size)
            width = output_width(backbone.network, in_channels, image_size)
        except NOT_TAKEN as error:
            raise self._not_taken(in_channels, image_size, error) from error
        return LibraryModel(backbone, width, config, num_classes=num_classes)

    def _not_taken(
        self, in_channels: int, image_size: tuple[int, int], error: Exception
    ) -> ConfigError:
        height, width = image_size
        side = next(
            (side for side in SIDES if side >= height and self._takes(in_channels, side)), None
        )
        remedy = f"give --image-size {side}" if side else "give another architecture"
        return ConfigError(
            f"image_size = {height}x{width}: {self.name} does not take such images "
            f"({error or type(error).__name__}): {remedy}"
        )

    def _takes(self, in_channels: int, side: int) -> bool:
        try:
            backbone = self.build_backbone(in_channels, (side, side))
            output_width(backbone.network, in_channels, (side, side))
        except NOT_TAKEN:
            return False
        return True


class LibraryModel(BackboneModel):
    """Applies `head` and `classifier` to what a library's network gives its own classifier."""

    def __init__(
        self, backbone: Backbone, width: int, config: HeadConfig, *, num_classes: int
    ) -> None:
        super().__init__(backbone.network, width, config, num_classes=num_classes)
        self.replaced = (*OWN_LAYERS, *(f"backbone.{name}" for name in backbone.replaced))
        self._adapted = backbone.adapted

    def adapted(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Turn weights of older names, or trained at another image size, into those of this model.

        Args:
            state: Weights by name, the library's behind `backbone.`.
        """
        prefix = "backbone."
        theirs = {n.removeprefix(prefix): t for n, t in state.items() if n.startswith(prefix)}
        adapted = self._adapted(self.backbone, theirs)
        return {
            **{name: tensor for name, tensor in state.items() if not name.startswith(prefix)},
            **{prefix + name: tensor for name, tensor in adapted.items()},
        }


def output_width(network: nn.Module, in_channels: int, image_size: tuple[int, int]) -> int:
    """Return how many features the network gives an image; only shapes are computed.

    Raises:
        RuntimeError: The network does not take images of this size, or gives no vectors.
    """
    named = chain(network.named_parameters(), network.named_buffers())
    shapes = {name: tensor.to("meta") for name, tensor in named}
    images_NCHW = torch.empty(2, in_channels, *image_size, device="meta")
    with torch.no_grad():
        features_ND = functional_call(network, shapes, (images_NCHW,))
    if features_ND.ndim != 2:
        raise RuntimeError(f"it gives {tuple(features_ND.shape[1:])} in place of a vector")
    return int(features_ND.shape[1])
