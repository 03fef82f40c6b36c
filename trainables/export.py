"""Exported models: weights as safetensors, and a JSON with the way from a file to a class."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from trainables.architectures import find_architecture
from trainables.augment import Normalisation
from trainables.config import parse_trial
from trainables.datasets import ImageData, decode_image

FORMAT = 1
WEIGHTS = "model.safetensors"


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelCard:
    """All that is needed besides the weights: `<weights>.json`."""

    format: int
    config: dict[str, Any]
    class_names: tuple[str, ...]
    image_size: tuple[int, int]
    num_channels: int
    normalisation: Normalisation
    dataset: str
    dataset_fingerprint: str


class ImageClassifier(nn.Module):
    """A trained network with its preprocessing: images in, class probabilities out."""

    def __init__(self, network: nn.Module, card: ModelCard) -> None:
        super().__init__()
        self.network = network
        self.card = card

    def forward(self, images_NHWC: Tensor) -> Tensor:
        """uint8 NHWC of the card's size and channels -> probabilities, float32, NK."""
        normalised = self.card.normalisation(images_NHWC, torch.contiguous_format)
        probabilities_NK: Tensor = self.network(normalised).float().softmax(dim=1)
        return probabilities_NK

    @torch.inference_mode()
    def predict(self, encoded_images: list[bytes]) -> Tensor:
        """Contents of image files (PNG, JPEG, ...) -> probabilities, NK."""
        images = [
            torch.from_numpy(
                decode_image(
                    encoded,
                    image_size=self.card.image_size,
                    num_channels=self.card.num_channels,
                )
            )
            for encoded in encoded_images
        ]
        probabilities_NK: Tensor = self(torch.stack(images))
        return probabilities_NK


def save_model(
    folder: Path,
    model: nn.Module,
    *,
    config: dict[str, Any],
    data: ImageData,
    normalisation: Normalisation,
) -> Path:
    """Write `model.safetensors` and `model.safetensors.json` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    card = ModelCard(
        format=FORMAT,
        config=config,
        class_names=data.class_names,
        image_size=data.image_size,
        num_channels=data.num_channels,
        normalisation=normalisation,
        dataset=data.source,
        dataset_fingerprint=data.fingerprint,
    )
    weights = {name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()}
    target = folder / WEIGHTS
    save_file(weights, target)
    card_path(target).write_text(json.dumps(asdict(card), indent=2) + "\n")
    return target


def card_path(weights: Path) -> Path:
    return weights.with_name(weights.name + ".json")


def load_model(path: str | Path) -> ImageClassifier:
    """The exported model at `path` (`*.safetensors`), in evaluation mode, on the CPU.

    Raises:
        FileNotFoundError: There is no such file, or no JSON beside it.
        ValueError: The JSON is of another format.
    """
    path = Path(path)
    for needed in (path, card_path(path)):
        if not needed.is_file():
            raise FileNotFoundError(
                f"{needed}: no such file; a model is two files, weights and JSON"
            )
    raw = json.loads(card_path(path).read_text())
    if raw.get("format") != FORMAT:
        raise ValueError(f"{card_path(path)}: format = {raw.get('format')!r}: must be {FORMAT}")
    try:
        normalisation = {name: tuple(values) for name, values in raw["normalisation"].items()}
        raw["normalisation"] = Normalisation(**normalisation)
        raw["class_names"] = tuple(raw["class_names"])
        raw["image_size"] = tuple(raw["image_size"])
        card = ModelCard(**raw)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{card_path(path)}: not the JSON of a model: {error!r}") from error
    architecture = find_architecture(card.config["architecture"])
    _, own = parse_trial(card.config, architecture.Config)
    network = architecture.build(
        own,
        in_channels=card.num_channels,
        image_size=card.image_size,
        num_classes=len(card.class_names),
    )
    network.load_state_dict(load_file(path))
    return ImageClassifier(network, card).eval()
