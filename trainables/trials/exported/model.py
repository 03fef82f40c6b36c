"""Export models and load them again: the whole way from a raw image to class probabilities.

NAME.safetensors        weights of a network, and whatever arrays its features need
NAME.safetensors.json   the `ModelCard`
NAME.skops              the estimator, where scikit-learn's was trained
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from trainables.architectures import find_architecture
from trainables.config import Configuration, TrialConfig, parse_trial
from trainables.datasets import ImageData, decode_image
from trainables.datasets.feature_data import FeatureData
from trainables.features import build_features
from trainables.features.front import FeatureFront, build_feature_front
from trainables.image_ops.geometry import centre_crop
from trainables.registry import is_estimator
from trainables.training.normalisation import Normalisation

FORMAT = 1
WEIGHTS = "model.safetensors"
FRONT = "front."
"""The prefix of the front's arrays in a file of weights."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """Says what a model takes and answers, and on what it was trained.

    Attributes:
        image_size, num_channels: What an image is resized to.
    """

    class_names: tuple[str, ...]
    image_size: tuple[int, int]
    num_channels: int
    dataset: str
    dataset_fingerprint: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelCard(Card):
    """Holds all that a model needs besides its weights; it is stored as `<weights>.json`.

    Attributes:
        normalisation: Has as many channels as the network takes: grey images are repeated.
        in_channels, in_size: The shape of the classifier's input: an image, or features as a pixel.
        features: The spec of the features that are computed from an image first, or `None`.
    """

    format: int
    config: dict[str, Any]
    normalisation: Normalisation
    in_channels: int
    in_size: tuple[int, int]
    features: dict[str, Any] | None


class ImageFront(nn.Module):
    """Turns pixels into a network's input: the centre of the image, normalised."""

    def __init__(self, normalisation: Normalisation, crop_fraction: float) -> None:
        super().__init__()
        self.normalisation = normalisation
        self.crop_fraction = crop_fraction

    def forward(self, images_NHWC: Tensor) -> Tensor:
        cropped = centre_crop(images_NHWC, self.crop_fraction)
        return self.normalisation(cropped, torch.contiguous_format)


class EstimatorClassifier(nn.Module):
    """Wraps a fitted scikit-learn estimator as a module: features in, log-probabilities out."""

    def __init__(self, fitted: Any, num_classes: int) -> None:
        super().__init__()
        self.fitted = fitted
        self.num_classes = num_classes

    def forward(self, features_NCHW: Tensor) -> Tensor:
        from trainables.training.classical import predict_probabilities

        features_ND = features_NCHW.flatten(1).cpu().numpy()
        probabilities_NK = predict_probabilities(self.fitted, features_ND, self.num_classes)
        return torch.from_numpy(probabilities_NK).to(features_NCHW.device).log()


class ImageModel(nn.Module):
    """Turns images, uint8 NHWC of the card's size and channels, into class probabilities, float32
    NK."""

    card: Card

    @torch.inference_mode()
    def predict(self, encoded_images: list[bytes]) -> Tensor:
        """Decode the contents of one or more image files (PNG, JPEG, ...) and return their
        probabilities, NK."""
        if not encoded_images:
            raise ValueError("encoded_images is empty, but must hold the content of a file")
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


class ImageClassifier(ImageModel):
    """Joins a trained classifier and its preprocessing."""

    card: ModelCard

    def __init__(self, front: nn.Module, classifier: nn.Module, card: ModelCard) -> None:
        super().__init__()
        self.front = front
        self.network = classifier
        self.card = card

    def forward(self, images_NHWC: Tensor) -> Tensor:
        probabilities_NK: Tensor = self.network(self.front(images_NHWC)).float().softmax(dim=1)
        return probabilities_NK


def build_card(
    config: Configuration,
    data: ImageData,
    *,
    normalisation: Normalisation,
    in_channels: int,
    in_size: tuple[int, int],
    features: FeatureData | None,
) -> ModelCard:
    """Build the card of a model that was trained on `data`, or on `features` of it."""
    return ModelCard(
        format=FORMAT,
        config=dict(config),
        class_names=data.class_names,
        image_size=data.image_size,
        num_channels=data.num_channels,
        normalisation=normalisation,
        in_channels=in_channels,
        in_size=in_size,
        features=asdict(features.spec) if features else None,
        dataset=data.source,
        dataset_fingerprint=data.fingerprint,
    )


def save_model(
    folder: Path,
    card: ModelCard,
    *,
    network: nn.Module | None,
    front: FeatureFront | None,
) -> Path:
    """Write `model.safetensors` and its card into `folder`; an estimator writes its own file."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = dict(network.state_dict()) if network else {}
    tensors |= {FRONT + name: t for name, t in front.state_dict().items()} if front else {}
    target = folder / WEIGHTS
    copies = {  # since layers may share weights, which safetensors refuses
        name: tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }
    save_file(copies, target)
    card_path(target).write_text(json.dumps(asdict(card), indent=2) + "\n")
    return target


def card_path(weights: Path) -> Path:
    return weights.with_name(weights.name + ".json")


def estimator_path(weights: Path) -> Path:
    return weights.with_suffix(".skops")


def read_json(path: Path) -> dict[str, Any]:
    """Read the JSON beside the weights at `path`.

    Raises:
        FileNotFoundError: One of the two is missing.
        ValueError: It is no JSON object.
    """
    card = card_path(path)
    for needed in (path, card):
        if not needed.is_file():
            raise FileNotFoundError(
                f"{needed}: no such file; a model is two files, weights and JSON"
            )
    try:
        raw = json.loads(card.read_bytes())
    except ValueError as error:
        raise ValueError(f"{card}: not the JSON of a model: {error}") from error
    if not isinstance(raw, dict):
        raise ValueError(f"{card}: not the JSON of a model: {type(raw).__name__}")  # noqa: TRY004
    return raw


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a file of weights.

    Raises:
        ValueError: It is damaged, or none.
    """
    try:
        return load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path}: not a whole file of weights: {error}") from error


def build_classifier(
    card: ModelCard, tensors: Mapping[str, Tensor], estimator: Path
) -> ImageClassifier:
    """Build a model from its card and arrays, in evaluation mode.

    Args:
        estimator: The file of a scikit-learn estimator, which is read where the card names one.

    Raises:
        FileNotFoundError: The estimator's file is missing.
        ValueError: It holds foreign types, or the arrays are not those of the card's network.
    """
    if is_estimator(card.config["architecture"]):
        from trainables.training.classical import load_estimator  # scikit-learn takes seconds

        crop_fraction = 1.0
        classifier: nn.Module = EstimatorClassifier(
            load_estimator(estimator), len(card.class_names)
        )
    else:
        architecture = find_architecture(card.config["architecture"])
        config, own = parse_trial(card.config, architecture.Config)
        assert isinstance(config, TrialConfig)
        crop_fraction = config.crop_fraction
        classifier = architecture.build(
            own,
            in_channels=card.in_channels,
            image_size=card.in_size,
            num_classes=len(card.class_names),
        )
        weights = {name: t for name, t in tensors.items() if not name.startswith(FRONT)}
        try:
            classifier.load_state_dict(weights)
        except RuntimeError as error:
            raise ValueError(f"the weights are not those that the JSON names: {error}") from error
    front: nn.Module = ImageFront(card.normalisation, crop_fraction)
    if card.features is not None:
        front = _load_front(card, tensors)
    return ImageClassifier(front, classifier, card).eval()


def _load_front(card: ModelCard, tensors: Mapping[str, Tensor]) -> FeatureFront:
    own = {n.removeprefix(FRONT): t for n, t in tensors.items() if n.startswith(FRONT)}
    assert card.features is not None
    front = build_feature_front(
        build_features(card.features),
        card.normalisation,
        image_size=card.image_size,
        num_features=card.in_channels,
        pretrained=None,
        arrays={n: t.numpy() for n, t in own.items()},
    )
    front.load_state_dict(own)
    return front


def parse_card(raw: dict[str, Any], path: Path) -> ModelCard:
    """Parse a card; raise `ValueError`, which names the file, where it is none of this format."""
    if raw.get("format") != FORMAT:
        raise ValueError(f"{path}: format = {raw.get('format')!r}: must be {FORMAT}")
    try:
        normalisation = {name: tuple(values) for name, values in raw["normalisation"].items()}
        raw["normalisation"] = Normalisation(**normalisation)
        for name in ("class_names", "image_size", "in_size"):
            raw[name] = tuple(raw[name])
        return ModelCard(**raw)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: not the JSON of a model: {error!r}") from error
