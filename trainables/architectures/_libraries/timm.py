"""Build every network of timm by its name, `timm:NAME` or `timm:NAME.TAG`, where it is installed.

https://huggingface.co/docs/timm lists them, with their papers; the tag chooses between weights.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor, nn

from trainables.architectures._libraries.network import Backbone, LibraryNetwork
from trainables.config import ConfigError
from trainables.config.validation import nearest


def find(name: str) -> LibraryNetwork:
    """Find timm's network `name`.

    Raises:
        ConfigError: timm is not installed, or has none of this name.
    """
    try:
        import timm
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"architecture = 'timm:{name}': timm is not installed: "
            "pip install 'tune-jobs[timm]', on every machine of the cluster"
        ) from error
    known = timm.list_models() + timm.list_pretrained()
    if name not in known:
        raise ConfigError(
            f"architecture = 'timm:{name}': timm {timm.__version__} has no network of this name"
            f"{nearest(name, known)}: give one that timm.list_models or timm.list_pretrained lists"
        )
    card = timm.get_pretrained_cfg(name)
    return LibraryNetwork(
        name=f"timm:{name}",
        build_backbone=partial(_build, name, card),
        IMAGENET=TimmWeights(name, card) if card.has_weights else None,
    )


@dataclass(frozen=True, slots=True)
class TimmWeights:
    """Holds timm's name of a network, and its card of the weights."""

    name: str
    card: Any

    @property
    def source(self) -> str:
        hub = self.card.hf_hub_id
        return f"https://huggingface.co/{hub}" if hub else str(self.card.url)

    @property
    def by_hand(self) -> str:
        return "fill the cache of huggingface_hub (HF_HOME) where there is a network"

    @property
    def mean(self) -> tuple[float, ...]:
        return tuple(self.card.mean)

    @property
    def std(self) -> tuple[float, ...]:
        return tuple(self.card.std)

    def load(self) -> dict[str, Tensor]:
        """Load the weights by timm, which reads safetensors, or torch's files with `weights_only`.

        Raises:
            OSError: They are missing, and the download failed.
        """
        import timm

        try:
            network: nn.Module = timm.create_model(self.name, pretrained=True)
        except Exception as error:  # the hub's client raises what it likes
            raise OSError(str(error)) from error
        return dict(network.state_dict())


def _build(name: str, card: Any, in_channels: int, image_size: tuple[int, int]) -> Backbone:
    import timm

    arguments = {"img_size": image_size} if card.fixed_input_size else {}
    network = timm.create_model(name, num_classes=0, in_chans=in_channels, **arguments)
    classifiers = card.classifier
    names = (classifiers,) if isinstance(classifiers, str) else tuple(classifiers or ())
    return Backbone(
        network=network, replaced=tuple(f"{layer}." for layer in names), adapted=_adapted
    )


def _adapted(network: nn.Module, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename and interpolate as timm does when it loads a file: each of its modules may say how."""
    rule = getattr(sys.modules[type(network).__module__], "checkpoint_filter_fn", None)
    return dict(rule(dict(state), network) if rule else state)
