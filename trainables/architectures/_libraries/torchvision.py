"""Build every classification network of torchvision by its name: `torchvision:NAME`.

https://docs.pytorch.org/vision/stable/models.html lists them, with their papers.
"""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from torch import Tensor, nn
from torchvision import models
from torchvision.models.mnasnet import MNASNet
from torchvision.models.vision_transformer import VisionTransformer, interpolate_embeddings

from trainables.architectures._libraries.network import Backbone, LibraryNetwork
from trainables.architectures._libraries.weights import TorchvisionWeights
from trainables.config import ConfigError
from trainables.config.validation import nearest

AUXILIARY = {"googlenet": ("aux1.", "aux2."), "inception_v3": ("AuxLogits.",)}
"""Classifiers in the middle of a network, which are left out: the last one alone is trained."""

OLDER_NAMES = (
    (re.compile(r"(denselayer\d+\.(?:norm|conv))\.(?=[12]\.)"), r"\1"),
    (re.compile(r"\.mlp\.linear_1\."), ".mlp.0."),
    (re.compile(r"\.mlp\.linear_2\."), ".mlp.3."),
)
"""Names in the files of DenseNets and vision transformers, which torchvision too translates."""


def find(name: str) -> LibraryNetwork:
    """Find torchvision's network `name`.

    Raises:
        ConfigError: There is none of this name.
    """
    known = models.list_models(module=models)
    if name not in known:
        raise ConfigError(
            f"architecture = 'torchvision:{name}': torchvision has no classification network of "
            f"this name{nearest(name, known)}: give one that torchvision.models lists"
        )
    return LibraryNetwork(
        name=f"torchvision:{name}",
        build_backbone=partial(_build, name),
        IMAGENET=TorchvisionWeights(str(models.get_model_weights(name).DEFAULT)),
    )


def _build(name: str, in_channels: int, image_size: tuple[int, int]) -> Backbone:
    network = _network(name, image_size)
    if in_channels != 3:
        _sum_colours(network, in_channels)
    last, _ = [
        (path, layer)
        for path, layer in network.named_modules()
        if isinstance(layer, (nn.Linear, nn.Conv2d))
    ][-1]
    parent, _, child = last.rpartition(".")
    setattr(network.get_submodule(parent), child, nn.Identity())
    return Backbone(
        network=network, replaced=(f"{last}.", *AUXILIARY.get(name, ())), adapted=_adapted
    )


def _network(name: str, image_size: tuple[int, int]) -> nn.Module:
    """Build torchvision's network with initial weights.

    Raises:
        ValueError, AssertionError: It is not made for images of this size.
    """
    arguments: dict[str, Any] = {}
    if name in AUXILIARY:
        arguments = {"aux_logits": False, "init_weights": True}
    elif name.startswith("mnasnet"):
        return _MNASNet(alpha=float(name.removeprefix("mnasnet").replace("_", ".")))
    elif name.startswith("vit_"):
        height, width = image_size
        if height != width:
            raise ValueError("it takes square ones")
        arguments = {"image_size": height}
    elif name == "maxvit_t":
        arguments = {"input_size": image_size}
    network: nn.Module = models.get_model(name, weights=None, **arguments)
    return network


def _sum_colours(network: nn.Module, in_channels: int) -> None:
    """Give the first convolution the sum of its weights over the colours.

    So grey images give what they would give as colour ones, repeated.
    """
    stem = next(layer for layer in network.modules() if isinstance(layer, nn.Conv2d))
    grey = stem.weight.detach().sum(dim=1, keepdim=True) / in_channels
    stem.weight = nn.Parameter(grey.repeat(1, in_channels, 1, 1))
    stem.in_channels = in_channels


def _adapted(network: nn.Module, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give weights their present names, and interpolate a vision transformer's positions."""
    renamed = {}
    for name, tensor in state.items():
        for older, present in OLDER_NAMES:
            name = older.sub(present, name)
        renamed[name] = tensor
    if isinstance(network, VisionTransformer) and "encoder.pos_embedding" in renamed:
        return dict(interpolate_embeddings(network.image_size, network.patch_size, renamed))
    return renamed


class _MNASNet(MNASNet):  # type: ignore[misc]  # torchvision is not typed
    """Loads weights without torch's metadata, which safetensors does not keep, as the present
    version's."""

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: dict[str, Any], *rest: Any
    ) -> None:
        version = {"version": self._version, **local_metadata}
        super()._load_from_state_dict(state_dict, prefix, version, *rest)
