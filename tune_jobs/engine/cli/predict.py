"""`python -m tune_jobs predict MODEL IMAGE...`."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables import load_model
from trainables.datasets import decode_image, load_unlabelled
from tune_jobs.engine.errors import RequestError

if TYPE_CHECKING:
    import numpy as np

    from trainables.trials.export import ImageClassifier, ModelCard


def predict_images(model_path: str, images: Sequence[str], top: int) -> None:
    """Print the most probable classes of each image with their probabilities.

    Args:
        model_path: A `.safetensors` with its JSON.
        images: Image files, or `csv:PATH` for those that a CSV lists (no label column needed).
        top: Classes shown per image.
    """
    try:
        model = load_model(model_path)
        for image in images:
            for name, pixels_HWC in _read(image, model.card):
                print(f"{name}  {_classes(model, pixels_HWC, top)}")
    except (FileNotFoundError, ValueError) as error:
        raise RequestError(str(error)) from error


def _read(image: str, card: "ModelCard") -> "Iterator[tuple[str, np.ndarray[Any, Any]]]":
    if image.startswith("csv:"):
        found = load_unlabelled(image, image_size=card.image_size, num_channels=card.num_channels)
        yield from zip(found.paths, found.images_NHWC, strict=True)
        return
    path = Path(image)
    if not path.is_file():
        raise FileNotFoundError(f"{image}: no such file")
    try:
        pixels_HWC = decode_image(
            path.read_bytes(), image_size=card.image_size, num_channels=card.num_channels
        )
    except ValueError as error:
        raise ValueError(f"{image}: {error}") from error
    yield image, pixels_HWC


def _classes(model: "ImageClassifier", pixels_HWC: "np.ndarray[Any, Any]", top: int) -> str:
    import torch

    with torch.inference_mode():
        [probabilities_K] = model(torch.tensor(pixels_HWC)[None])
    best = probabilities_K.topk(min(top, len(model.card.class_names)))
    return "  ".join(
        f"{model.card.class_names[k]} {p:.4f}"
        for p, k in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    )
