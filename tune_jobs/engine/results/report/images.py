"""Pictures made of the data's own images, as PNG."""

import base64
import io
import json
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from trainables.config import TrialConfig
from trainables.config.augmentations import AUGMENTATIONS
from trainables.datasets import ImageData
from tune_jobs.engine.results.report.findings import Finding, mistakes
from tune_jobs.engine.results.row import Row

Pixels = npt.NDArray[np.uint8]
Captioned = tuple[str, Image.Image]

LARGEST_SIDE, SMALLEST_SIDE = 96, 64
PER_CLASS = 4
MOST_CLASSES = 20


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


def samples(data: ImageData, most_classes: int = MOST_CLASSES) -> dict[str, list[Image.Image]]:
    """The first images to train on of each of the first classes, by class name."""
    labels_N = data.labels_N[data.train_indices]
    return {
        name: [
            to_picture(data.images_NHWC[index])
            for index in data.train_indices[labels_N == label][:PER_CLASS]
        ]
        for label, name in enumerate(data.class_names[:most_classes])
    }


def surest_mistakes(finding: Finding, data: ImageData) -> list[Captioned]:
    """Show the mistakes that the best seed was surest of, as `9, taken for 4 (0.98): 7.png`."""
    names = data.class_names
    return [
        (
            f"{names[m.label]}, taken for {names[m.predicted]} ({m.probability:.2f}): "
            f"{data.names_N[m.image]}",
            to_picture(data.images_NHWC[m.image]),
        )
        for m in mistakes(finding.chosen)
    ]


def augmented(data: ImageData, row: Row) -> list[Captioned]:
    """Show one image to train on as it is, and under each knob of an augmentation by itself, at the
    strength that the row's configuration has, or at the knob's nominal one."""
    import torch

    given: dict[str, Any] = json.loads(row.config)
    config = TrialConfig(architecture=row.architecture, epochs=1)
    labels_N = data.labels_N[data.train_indices]
    one = data.train_indices[labels_N == labels_N.max()][:1]
    image_NHWC = torch.tensor(data.images_NHWC[one])
    shown = [("as it is", to_picture(image_NHWC[0].numpy()))]
    for step in AUGMENTATIONS.values():
        for name, knob in step.knobs().items():
            strength = given.get(name, 0.0)
            alone = step(**{name: knob.strength(strength)})
            made = alone.apply(image_NHWC, torch.Generator().manual_seed(1), config.crop_fraction)
            made = made[0].round().clamp(0, 255).to(torch.uint8)
            label = f"{name.replace('_', ' ')} {strength or knob.nominal:g}"
            label += "" if strength else ", not used"
            shown.append((label, to_picture(made.numpy())))
    return shown
