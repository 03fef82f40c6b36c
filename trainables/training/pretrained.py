"""A network may start from ImageNet's weights by torchvision, or from a file of one's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trainables.architectures import REPLACED, find_architecture
from trainables.architectures._libraries.network import LibraryModel
from trainables.config import ConfigError
from trainables.storage import fetched

BACKBONE = "backbone."

MAX_LISTED = 8


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Pretrained:
    """Holds weights by name, without the classifier's.

    They are numpy arrays, which Ray shares between processes without copies.

    Attributes:
        source: `imagenet`, or the file's path.
        in_channels: How many channels the first convolution takes; 0 if there is none.
        digest: The sha256 of names and values.
    """

    source: str
    arrays: Mapping[str, "np.ndarray[Any, Any]"]
    in_channels: int
    digest: str


def load_pretrained(weights: str, architecture_name: str) -> Pretrained | None:
    """Load what `--weights` names, `None` for `scratch`; ImageNet's are downloaded when missing.

    Raises:
        ConfigError: The architecture has no ImageNet weights, the download failed, or the file is
            missing or holds no weights.
    """
    if weights == "scratch":
        return None
    if weights == "imagenet":
        state = _download_imagenet(architecture_name)
    else:
        try:
            with fetched(weights) as file:
                state = _read_file(file)
        except ConfigError:
            raise
        except (OSError, ValueError) as error:  # of the place that a URI names
            raise ConfigError(f"--weights = {weights!r}: {error}: give one in reach") from error
    if not any(name.startswith(BACKBONE) for name in state):
        state = _as_backbone(state, architecture_name)
    replaced = find_architecture(architecture_name).replaced
    arrays = {n: t.numpy() for n, t in state.items() if not n.startswith(replaced)}
    kernels = [a for a in arrays.values() if a.ndim == 4]
    digest = sha256()
    for name, array in sorted(arrays.items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return Pretrained(
        source=weights,
        arrays=arrays,
        in_channels=int(kernels[0].shape[1]) if kernels else 0,
        digest=digest.hexdigest(),
    )


def start_from(model: nn.Module, pretrained: Pretrained) -> None:
    """Copy the weights into `model`, whose classifier and head keep their own.

    Raises:
        ConfigError: Names or shapes differ; the message lists them.
    """
    given = {name: torch.tensor(array) for name, array in pretrained.arrays.items()}
    replaced = REPLACED
    if isinstance(model, LibraryModel):
        replaced = model.replaced
        given = {n: t for n, t in model.adapted(given).items() if not n.startswith(replaced)}
    own = {n: t for n, t in model.state_dict().items() if not n.startswith(replaced)}
    problems = [f"  {name}: not in the file" for name in own if name not in given]
    for name, tensor in given.items():
        here = own.get(name)
        if here is None:
            problems.append(f"  {name}: not in the model")
        elif here.shape != tensor.shape:
            problems.append(
                f"  {name}: {tuple(tensor.shape)} in the file, {tuple(here.shape)} here"
            )
    if problems:
        listed = problems[:MAX_LISTED]
        if len(problems) > MAX_LISTED:
            listed.append(f"  and {len(problems) - MAX_LISTED} more")
        raise ConfigError(
            f"--weights = {pretrained.source!r}: does not fit the model:\n"
            + "\n".join(listed)
            + "\nGive weights of this architecture and size (for ImageNet's on small images, "
            'stem = "imagenet"), or scratch.'
        )
    model.load_state_dict(given, strict=False)


def _as_backbone(state: Mapping[str, Tensor], architecture_name: str) -> dict[str, Tensor]:
    """Rename torchvision's weights as ours: its network is a model's `backbone`, if it has one."""
    if find_architecture(architecture_name).imagenet is None:
        return dict(state)
    return {BACKBONE + name: tensor for name, tensor in state.items()}


def _download_imagenet(architecture_name: str) -> dict[str, Tensor]:
    weights = find_architecture(architecture_name).imagenet
    if weights is None:
        raise ConfigError(
            f"--weights = 'imagenet': there are none for {architecture_name}: "
            "give scratch or a file"
        )
    try:
        return weights.load()
    except (OSError, RuntimeError) as error:
        raise ConfigError(
            f"--weights = 'imagenet': the download of {weights.source} failed ({error}): "
            f"put the file at {weights.target}, or give scratch or a file"
        ) from error


def _read_file(path: Path) -> dict[str, Tensor]:
    """Read an exported model (`.safetensors`) or a torch state dict, without unpickling code."""
    if not path.is_file():
        raise ConfigError(
            f"--weights = {str(path)!r}: there is no such file: give scratch, imagenet, an "
            "exported model (.safetensors) or a torch state dict"
        )
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(path))
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged bytes raise anything
        raise ConfigError(f"--weights = {str(path)!r}: cannot be read: {error}") from error
    if not isinstance(state, dict) or not all(isinstance(t, Tensor) for t in state.values()):
        raise ConfigError(
            f"--weights = {str(path)!r}: must be a state dict, names and tensors alone"
        )
    return state
