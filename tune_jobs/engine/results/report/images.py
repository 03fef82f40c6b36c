"""Pictures made of the data's own images, as PNG."""

import base64
import io
import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from trainables.datasets import ImageData
from tune_jobs.engine.results.report.findings import Finding, mistakes
from tune_jobs.engine.results.row import Row

if TYPE_CHECKING:
    from trainables.config import TrialConfig

Pixels = npt.NDArray[np.uint8]
Captioned = tuple[str, Image.Image]

LARGEST_SIDE, SMALLEST_SIDE = 96, 64
PER_CLASS = 4
MOST_CLASSES = 20

NOMINAL: dict[str, float] = {
    "horizontal_flip": 1.0,
    "vertical_flip": 1.0,
    "crop_padding": 0.125,
    "rotation_degrees": 15.0,
    "shear_degrees": 15.0,
    "zoom": 0.2,
    "translation": 0.1,
}
"""How an augmentation is shown that the winner does not use."""


def to_picture(image_HWC: Pixels) -> Image.Image:
    """Large enough to see, small enough to keep: sides from 64 to 96 pixels."""
    picture = Image.fromarray(image_HWC[..., 0] if image_HWC.shape[2] == 1 else image_HWC)
    longest = max(picture.size)
    if longest > LARGEST_SIDE:
        picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    elif longest < SMALLEST_SIDE:
        scale = SMALLEST_SIDE // longest
        size = picture.width * scale, picture.height * scale
        picture = picture.resize(size, Image.Resampling.NEAREST)
    return picture


def encode_png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def data_uri(picture: Image.Image) -> str:
    return f"data:image/png;base64,{base64.b64encode(encode_png(picture)).decode()}"


def samples(data: ImageData) -> dict[str, list[Image.Image]]:
    """The first images to train on of each of the first classes, by class name."""
    labels_N = data.labels_N[data.train_indices]
    return {
        name: [
            to_picture(data.images_NHWC[index])
            for index in data.train_indices[labels_N == label][:PER_CLASS]
        ]
        for label, name in enumerate(data.class_names[:MOST_CLASSES])
    }


def surest_mistakes(finding: Finding, data: ImageData) -> list[Captioned]:
    """Of the best seed: `9, taken for 4 (0.98)`."""
    names = data.class_names
    return [
        (
            f"{names[m.label]}, taken for {names[m.predicted]} ({m.probability:.2f})",
            to_picture(data.images_NHWC[m.image]),
        )
        for m in mistakes(finding.chosen)
    ]


def augmented(data: ImageData, row: Row) -> list[Captioned]:
    """One image to train on as it is, and under each augmentation by itself, at the strength that
    the row's configuration has."""
    import torch

    from trainables.augment import augment

    labels_N = data.labels_N[data.train_indices]
    one = data.train_indices[labels_N == labels_N.max()][:1]
    image_NHWC = torch.tensor(data.images_NHWC[one])
    shown = [("as it is", to_picture(image_NHWC[0].numpy()))]
    for name, nominal in NOMINAL.items():
        given = json.loads(row.config).get(name, 0.0)
        config = _only(row, name, 1.0 if name.endswith("flip") else given or nominal)
        generator = torch.Generator().manual_seed(1)
        made = augment(image_NHWC, config, generator)[0].round().clamp(0, 255).to(torch.uint8)
        label = f"{name.replace('_', ' ')} {given or nominal:g}"
        label += "" if given else ", not used"
        shown.append((label, to_picture(made.numpy())))
    return shown


def _only(row: Row, name: str, strength: float) -> "TrialConfig":
    from trainables.config import TrialConfig

    config: dict[str, Any] = {"architecture": row.architecture, "epochs": 1, name: strength}
    return TrialConfig(**{f.name: config[f.name] for f in fields(TrialConfig) if f.name in config})
