"""A retrained configuration that never was, and how colours are told apart."""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from trainables.datasets import ImageData
from trainables.metrics import EpochMetrics
from trainables.trials.predictions import Predictions
from tune_jobs.engine.job import Origin
from tune_jobs.engine.results.report.findings import Finding
from tune_jobs.engine.results.report.tsne import Projection
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.stages.candidates import Candidate, Retrained

Integers = npt.NDArray[np.int64]


def predict(labels_N: Integers, predicted_N: Integers, num_classes: int) -> Predictions:
    return Predictions(
        indices_N=np.arange(len(labels_N)),
        labels_N=labels_N,
        predicted_N=predicted_N,
        probabilities_NK=np.eye(num_classes, dtype=np.float32)[predicted_N],
    )


def make_metrics(epoch: int, val_accuracy: float) -> EpochMetrics:
    return EpochMetrics(epoch=epoch, val_accuracy=val_accuracy, val_loss=1.0, seconds=1.0)


def make_retrained(number: int, *accuracies: float, origin: Origin = "search") -> Retrained:
    """The trial of this number, trained to these validation accuracies with seeds 1, 2, ..."""
    return Retrained(
        candidate=Candidate(
            trial_number=number,
            origin=origin,
            published=None,
            config={},
            params={},
            searched=None,
        ),
        seeds=tuple(range(1, len(accuracies) + 1)),
        metrics=tuple(make_metrics(3, accuracy) for accuracy in accuracies),
        names=("",) * len(accuracies),
        seconds=(1.0,) * len(accuracies),
        all_seeds_ended=True,
    )


def make_finding(
    row: Row,
    class_names: Sequence[str],
    answers: Sequence[tuple[npt.ArrayLike, npt.ArrayLike]],
    *,
    title: str = "winner",
    num_epochs: int = 3,
    projections: Sequence[Projection] = (),
) -> Finding:
    """`answers`: (true classes, predicted classes) of each seed. After epoch e, seed s has a
    validation accuracy of 1 - 0.5 / e - 0.1 s."""
    curves = [
        [make_metrics(e, 1 - 0.5 / e - 0.1 * s) for e in range(1, num_epochs + 1)]
        for s in range(len(answers))
    ]
    return Finding(
        title=title,
        row=row,
        class_names=class_names,
        predictions=[predict(np.array(t), np.array(p), len(class_names)) for t, p in answers],
        curves=curves,
        best=0,
        embeddings=None,
        projections=list(projections),
    )


def make_data(class_names: Sequence[str]) -> ImageData:
    """Six gray images of 8x8 a class, four of them to train on and one to test on."""
    num_classes = len(class_names)
    images_NHWC = np.random.default_rng(0).integers(
        0, 256, (6 * num_classes, 8, 8, 1), dtype=np.uint8
    )
    by_use = np.arange(6 * num_classes).reshape(6, num_classes)
    return ImageData(
        images_NHWC=images_NHWC,
        labels_N=np.tile(np.arange(num_classes), 6),
        names_N=np.array([f"{index}.png" for index in range(6 * num_classes)]),
        class_names=tuple(class_names),
        train_indices=by_use[:4].ravel(),
        validation_indices=by_use[4],
        test_indices=by_use[5],
        fingerprint="a",
        split_fingerprint="b",
        source="made up",
        notes=(),
    )


def texts_of(svg: str) -> list[str]:
    """What an SVG's `text` elements say."""
    return re.findall(r"<text [^>]*>(.*?)</text>", svg)


def tips_of(svg: str) -> list[str]:
    """What the pointer is told; the first title is that of the whole chart."""
    return re.findall(r"<title>(.*?)</title>", svg)[1:]


def of_colour(picture: Image.Image, colour: str) -> npt.NDArray[np.bool_]:
    """Which pixels have exactly that colour, height by width."""
    found_HW: npt.NDArray[np.bool_] = (np.asarray(picture) == channels(colour)).all(axis=2)
    return found_HW


def channels(colour: str) -> list[int]:
    """Of `#rrggbb`."""
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def contrast(one: str, other: str) -> float:
    """WCAG 2.1, relative luminance."""

    def luminance(colour: str) -> float:
        shares = [channel / 255 for channel in channels(colour)]
        linear = [s / 12.92 if s <= 0.03928 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
