"""Join exported models to one that answers the weighted mean of their probabilities.

NAME.safetensors        the arrays of all members, each member's under `MEMBER.`
NAME.safetensors.json   the members' weights and cards
NAME.MEMBER.skops       the estimator of a member, where scikit-learn's was trained
"""

import json
import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from trainables.image_ops.geometry import resize
from trainables.image_ops.trivial_augment import to_uint8
from trainables.storage import fetched
from trainables.trials.exported.model import (
    Card,
    ImageClassifier,
    ImageModel,
    build_classifier,
    card_path,
    estimator_path,
    parse_card,
    read_json,
    read_weights,
)

FORMAT = 2
"""The format of an ensemble's JSON, beside that of a single model."""

ENSEMBLE = "ensemble.safetensors"


@dataclass(frozen=True, kw_only=True, slots=True)
class EnsembleCard(Card):
    """Says what an ensemble takes and answers.

    Attributes:
        weights: The share of each member in the answer, by its name; they add up to 1.
    """

    weights: Mapping[str, float]


class ImageEnsemble(ImageModel):
    """Answers the weighted mean of the probabilities of its members, each with its own
    preprocessing.

    It takes images of the size of that member which sees the largest ones; those that were trained
    on smaller ones (`max_image_size`) are given these, resized.
    """

    card: EnsembleCard

    def __init__(
        self, members: Mapping[str, ImageClassifier], weights: Mapping[str, float]
    ) -> None:
        super().__init__()
        self.members = nn.ModuleList(members.values())
        self._weights = [weights[name] for name in members]
        cards = [member.card for member in members.values()]
        self._sizes = [card.image_size for card in cards]
        largest = max(cards, key=lambda card: math.prod(card.image_size))
        self.card = EnsembleCard(
            class_names=largest.class_names,
            image_size=largest.image_size,
            num_channels=largest.num_channels,
            dataset=largest.dataset,
            dataset_fingerprint=largest.dataset_fingerprint,
            weights=weights,
        )

    def forward(self, images_NHWC: Tensor) -> Tensor:
        shares = [
            weight * member(to_uint8(resize(images_NHWC, size)))
            for weight, member, size in zip(self._weights, self.members, self._sizes, strict=True)
        ]
        return torch.stack(shares).sum(dim=0)


def save_ensemble(folder: Path, members: Mapping[str, tuple[Path, float]]) -> Path:
    """Write `ensemble.safetensors` and its JSON into `folder`.

    Args:
        members: By name, the exported model of each, all trained on the same data, and its weight.

    Raises:
        FileNotFoundError: A file of a model is missing.
        ValueError: One is damaged.
    """
    target, cards = folder / ENSEMBLE, {}
    tensors: dict[str, Tensor] = {}
    for name, (model, weight) in members.items():
        cards[name] = {"weight": weight, "card": read_json(model)}
        tensors |= {f"{name}.{key}": tensor for key, tensor in read_weights(model).items()}
        if estimator_path(model).is_file():
            shutil.copyfile(estimator_path(model), _estimator_of(target, name))
    save_file(tensors, target)
    stored = {"format": FORMAT, "members": cards}
    card_path(target).write_text(json.dumps(stored, indent=2) + "\n")
    return target


def load_model(path: str | Path) -> ImageModel:
    """Load the exported model or ensemble at a path or URI (`*.safetensors`), in evaluation mode,
    on the CPU.

    Raises:
        FileNotFoundError: A file of the model is missing.
        ValueError: A file is damaged or of another format, or an estimator's holds foreign types.
    """
    with fetched(path) as file:
        raw, tensors = read_json(file), read_weights(file)
        if "members" not in raw:
            return build_classifier(parse_card(raw, card_path(file)), tensors, estimator_path(file))
        return _build_ensemble(raw, tensors, file)


def _build_ensemble(raw: Any, tensors: Mapping[str, Tensor], file: Path) -> ImageEnsemble:
    if raw.get("format") != FORMAT:
        raise ValueError(f"{card_path(file)}: format = {raw.get('format')!r}: must be {FORMAT}")
    try:
        weights = {name: float(stored["weight"]) for name, stored in raw["members"].items()}
        cards = {name: stored["card"] for name, stored in raw["members"].items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{card_path(file)}: not the JSON of an ensemble: {error!r}") from error
    members = {
        name: build_classifier(
            parse_card(card, card_path(file)),
            {
                key.removeprefix(f"{name}."): tensor
                for key, tensor in tensors.items()
                if key.startswith(f"{name}.")
            },
            _estimator_of(file, name),
        )
        for name, card in cards.items()
    }
    return ImageEnsemble(members, weights).eval()


def _estimator_of(target: Path, member: str) -> Path:
    return target.with_suffix(f".{member}.skops")
