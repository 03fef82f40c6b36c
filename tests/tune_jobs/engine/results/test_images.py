"""The pictures of a page that are made of the data's own images."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from trainables.config.augmentations import AUGMENTATIONS, Augmentation, strength
from trainables.config.validation import Fraction
from trainables.datasets import ImageData
from tune_jobs.engine.results.report.images import augmented
from tune_jobs.engine.results.row import Row


@dataclass(frozen=True, kw_only=True, slots=True)
class Darken(Augmentation):
    darken: Fraction = strength(nominal=0.5)

    def apply(
        self, images_NHWC: Tensor, generator: torch.Generator, crop_fraction: float
    ) -> Tensor:
        return images_NHWC * (1 - self.darken) if self.darken else images_NHWC


@pytest.fixture
def data() -> ImageData:
    """Three grey images, one for each split, of a size that pages do not change."""
    one = [np.array([i]) for i in range(3)]
    return ImageData(
        images_NHWC=np.full((3, 80, 80, 1), 200, dtype=np.uint8),
        labels_N=np.zeros(3, dtype=np.int64),
        names_N=np.array(["0.png", "1.png", "2.png"]),
        class_names=("grey",),
        train_indices=one[0],
        validation_indices=one[1],
        test_indices=one[2],
        fingerprint="grey",
        split_fingerprint="",
        source="made",
        notes=(),
    )


def row(make_row: Callable[..., Row], **knobs: float) -> Row:
    return make_row(architecture="cnn", config=json.dumps(knobs))


def test_every_knob_is_shown(make_row: Callable[..., Row], data: ImageData) -> None:
    labels = [label for label, _ in augmented(data, row(make_row, zoom=0.3, vertical_flip=0.25))]
    assert labels == [
        "as it is",
        "horizontal flip 1, not used",
        "vertical flip 0.25",
        "crop padding 0.125, not used",
        "rotation degrees 15, not used",
        "shear degrees 15, not used",
        "zoom 0.3",
        "translation 0.1, not used",
        "trivial augment 1, not used",
        "brightness 0.4, not used",
        "contrast 0.4, not used",
        "saturation 0.4, not used",
        "hue 0.1, not used",
        "random erasing 1, not used",
    ]


@pytest.mark.parametrize(
    ("knobs", "label", "pixel"),
    [({}, "darken 0.5, not used", 100), ({"darken": 0.25}, "darken 0.25", 150)],
)
def test_one_that_is_added_is_shown(
    make_row: Callable[..., Row],
    data: ImageData,
    monkeypatch: pytest.MonkeyPatch,
    knobs: dict[str, float],
    label: str,
    pixel: int,
) -> None:
    monkeypatch.setitem(AUGMENTATIONS, "darken", Darken)
    shown = dict(augmented(data, row(make_row, **knobs)))
    assert np.unique(np.asarray(shown["as it is"])).tolist() == [200]
    assert np.unique(np.asarray(shown[label])).tolist() == [pixel]
