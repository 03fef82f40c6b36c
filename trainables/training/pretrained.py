"""A network may start from ImageNet's weights by torchvision, or from a file of one's own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trainables.architectures import REPLACED, Architecture, find_architecture
from trainables.architectures._libraries.network import LibraryModel
from trainables.architectures._libraries.weights import Weights
from trainables.config import ConfigError
from trainables.config.validation import from_json
from trainables.storage import fetched
from trainables.training.normalisation import Normalisation

BACKBONE = "backbone."

UNNEEDED = ".num_batches_tracked"
"""Batch norm's count of batches, which changes nothing here. Torch has it since 0.4.1; older files,
as torchvision's of `vgg16_bn`, do not."""

MAX_LISTED = 8


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Pretrained:
    """Holds weights by name, without those of `Architecture.replaced`.

    They are numpy arrays, which Ray shares between processes without copies.

    Attributes:
        source: `imagenet`, or the file's path.
        architecture: The name of the architecture that they are of.
        in_channels: How many channels of an image it takes; 0 if it has no convolution.
        normalisation: What they were trained with, where that is known.
        digest: The sha256 of names and values.
    """

    source: str
    architecture: str
    arrays: Mapping[str, "np.ndarray[Any, Any]"]
    in_channels: int
    normalisation: Normalisation | None
    digest: str


def load_pretrained(weights: str, architecture_name: str) -> Pretrained:
    """Load what `--weights` names beside `scratch`; ImageNet's are downloaded when missing.

    Raises:
        ConfigError: The architecture has no ImageNet weights, the download failed, or the file is
            missing or holds no weights.
    """
    architecture = find_architecture(architecture_name)
    normalisation = _normalisation_of(architecture.imagenet)
    if weights == "imagenet":
        state = _download_imagenet(architecture)
    else:
        try:
            with fetched(weights) as file:
                state = _read_file(file)
                normalisation = _read_normalisation(file) or normalisation
        except ConfigError:
            raise
        except (OSError, ValueError) as error:  # of the place that a URI names
            raise ConfigError(f"--weights = {weights!r}: {error}: give one in reach") from error
    if not any(name.startswith(BACKBONE) for name in state):
        state = _as_backbone(state, architecture)
    arrays = {n: _array(t) for n, t in state.items() if not n.startswith(architecture.replaced)}
    digest = sha256()
    for name, array in sorted(arrays.items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return Pretrained(
        source=weights,
        architecture=architecture_name,
        arrays=arrays,
        in_channels=_in_channels(arrays),
        normalisation=normalisation,
        digest=digest.hexdigest(),
    )


def start_from(model: nn.Module, pretrained: Pretrained) -> None:
    """Copy the weights into `model`, whose classifier and head keep their own.

    Raises:
        ConfigError: Names or shapes differ; the message lists them.
    """
    given = {name: torch.tensor(array) for name, array in pretrained.arrays.items()}
    replaced: tuple[str, ...] = REPLACED
    if isinstance(model, LibraryModel):
        replaced = model.replaced
        given = {n: t for n, t in model.adapted(given).items() if not n.startswith(replaced)}
    own = {n: t for n, t in model.state_dict().items() if not n.startswith(replaced)}
    problems = [
        f"  {name}: not in the file"
        for name in own
        if name not in given and not name.endswith(UNNEEDED)
    ]
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


def _normalisation_of(weights: Weights | None) -> Normalisation | None:
    """Return what a library says of its weights; files of them are taken to be like them."""
    return Normalisation(mean=weights.mean, std=weights.std) if weights else None


def _read_normalisation(file: Path) -> Normalisation | None:
    """Read the normalisation in the JSON beside an exported model.

    Raises:
        ConfigError: The file is there, but is not the JSON of a model.
    """
    card = file.with_name(file.name + ".json")
    if not card.is_file():
        return None
    try:
        stored = json.loads(card.read_text())
        if "members" not in stored:
            return from_json(Normalisation, stored["normalisation"])
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"--weights = {str(file)!r}: {card.name} is not the JSON of a model: {error!r}: give "
            "the one that was exported, or move it away"
        ) from error
    raise ConfigError(
        f"--weights = {str(file)!r}: is an ensemble, of {', '.join(stored['members'])}: give the "
        "model of one, in the checkpoints/ of their run"
    )


def _array(tensor: Tensor) -> "np.ndarray[Any, Any]":
    """Turn a tensor, perhaps one that was being trained, into an array; numpy has no bf16."""
    tensor = tensor.detach()
    array: np.ndarray[Any, Any] = (
        tensor.float() if tensor.dtype == torch.bfloat16 else tensor
    ).numpy()
    return array


def _in_channels(arrays: Mapping[str, "np.ndarray[Any, Any]"]) -> int:
    """Return how many channels the convolution takes that images go through.

    It need not be the first: safetensors sorts names, and a `stem` comes after `stages` then. But
    in a network of colour images it alone takes three, and in one of grey ones none does.
    """
    taken = [int(kernel.shape[1]) for kernel in arrays.values() if kernel.ndim == 4]
    return next((channels for channels in (3, 1) if channels in taken), taken[0] if taken else 0)


def _as_backbone(state: Mapping[str, Tensor], architecture: Architecture) -> dict[str, Tensor]:
    """Rename a library's weights as ours: its network is a model's `backbone`, if it has one, also
    where the library has no weights of it."""
    if architecture.imagenet is None and ":" not in architecture.name:
        return dict(state)
    return {BACKBONE + name: tensor for name, tensor in state.items()}


def _download_imagenet(architecture: Architecture) -> dict[str, Tensor]:
    weights = architecture.imagenet
    if weights is None:
        raise ConfigError(
            f"--weights = 'imagenet': there are none for {architecture.name}: "
            "give scratch or a file"
        )
    try:
        return weights.load()
    except (OSError, RuntimeError) as error:
        raise ConfigError(
            f"--weights = 'imagenet': the download of {weights.name} from {weights.source} failed "
            f"({error}): {weights.by_hand}, or give a file of weights (--weights PATH), or none "
            "(--weights scratch)"
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
