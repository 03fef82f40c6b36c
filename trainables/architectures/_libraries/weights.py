"""ImageNet's weights come from a library, which downloads them when they are missing."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

HALF = (0.5, 0.5, 0.5)

TIMEOUT_SECONDS = 30.0
"""A download that gives nothing for so long has failed."""


class Weights(Protocol):
    """Knows where weights are, and how images were normalised when they were trained."""

    @property
    def name(self) -> str:
        """The library's name of the weights."""

    @property
    def source(self) -> str:
        """What is downloaded."""

    @property
    def by_hand(self) -> str:
        """What to do where it cannot be downloaded."""

    @property
    def mean(self) -> tuple[float, ...]: ...

    @property
    def std(self) -> tuple[float, ...]: ...

    def load(self) -> dict[str, Tensor]:
        """Load the weights by the library's names, without unpickling code.

        Raises:
            OSError, RuntimeError: They are missing, and the download failed.
        """


@dataclass(frozen=True, slots=True)
class TorchvisionWeights:
    """Holds the name of torchvision's enum of weights, `ResNet18_Weights.IMAGENET1K_V1`."""

    name: str

    @property
    def source(self) -> str:
        return str(self._entry.url)

    @property
    def by_hand(self) -> str:
        target = Path(torch.hub.get_dir()) / "checkpoints" / Path(self.source).name
        return f"put the file at {target}"

    @property
    def mean(self) -> tuple[float, ...]:
        return HALF if self._turned_into_half else tuple(self._entry.transforms().mean)

    @property
    def std(self) -> tuple[float, ...]:
        return HALF if self._turned_into_half else tuple(self._entry.transforms().std)

    def load(self) -> dict[str, Tensor]:
        with _timeout():
            state: dict[str, Tensor] = self._entry.get_state_dict(
                progress=True, check_hash=True, weights_only=True
            )
        return state

    @property
    def _turned_into_half(self) -> bool:
        """With its weights torchvision has these networks turn ImageNet's normalisation into this
        one in every forward pass (`transform_input`); here they are given it."""
        return self.name.startswith(("GoogLeNet_", "Inception_V3_"))

    @property
    def _entry(self) -> Any:
        from torchvision.models import get_weight

        return get_weight(self.name)


@contextmanager
def _timeout() -> Iterator[None]:
    """Have a download time out: torch's has no timeout of its own, and waits for as long as a
    firewall drops its packets.

    Raises:
        OSError: It has, or it was cut off.
    """
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT_SECONDS)
    try:
        yield
    except HTTPException as error:
        raise OSError(repr(error)) from error
    finally:
        socket.setdefaulttimeout(before)
