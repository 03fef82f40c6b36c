"""Compute the features of a whole data set, in chunks that any worker may take."""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict

import numpy as np
import torch
from torch import nn

from trainables.config.features import Features, Frozen, Hog
from trainables.config.validation import to_json
from trainables.datasets import ImageData
from trainables.datasets.feature_data import FeatureData, FloatArray
from trainables.features.describe import (
    FrozenDescriber,
    build_describer,
    fold_batch_norm,
    parse_frozen,
)
from trainables.features.reduce import Reduction, fit_reduction, reduce
from trainables.training.normalisation import (
    NORMALISATIONS,
    Normalisation,
    build_normalisation,
    train_normalisation,
)
from trainables.training.pretrained import Pretrained

BLOCK = 64
"""The number of images described at once. Augmented views are drawn block by block, so that they do
not depend on how the work is divided."""

TIMED = 8
"""The number of images by which the time for all is estimated."""

VIEW_SEED = 1
"""The seed of the augmented views."""


def normalisation_of(
    spec: Features, data: ImageData, pretrained: Pretrained | None
) -> Normalisation:
    """Return a frozen network's normalisation; other features take pixels as they are."""
    if not isinstance(spec, Frozen):
        return Normalisation(mean=(0.0,), std=(1.0,))
    config, _ = parse_frozen(spec)
    return build_normalisation(
        config.normalisation,
        train_normalisation(data),
        weights=pretrained.normalisation if pretrained else None,
        num_channels=data.num_channels,
        in_channels=(pretrained.in_channels if pretrained else 0) or data.num_channels,
    )


def fingerprint(spec: Features, data: ImageData, pretrained: Pretrained | None) -> str:
    """Return the sha256 of all that the features depend on; of some that is not the split, so that
    folds share them."""
    parts = {
        "data": data.fingerprint,
        "spec": asdict(spec),
        "weights": pretrained.digest if pretrained else None,
    }
    if _learns_from_train(spec, pretrained):
        parts["split"] = data.split_fingerprint
    if pretrained and isinstance(spec, Frozen) and spec.config.get("normalisation") == "weights":
        parts["normalisation"] = to_json(pretrained.normalisation)
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _learns_from_train(spec: Features, pretrained: Pretrained | None) -> bool:
    """Return whether the features differ with the train split: components are fitted on it, views
    are of its images, and a normalisation may be its own."""
    if not isinstance(spec, Frozen):
        return isinstance(spec, Hog)
    name = spec.config.get("normalisation")
    is_of_weights = name == "weights" and pretrained and pretrained.normalisation
    return spec.views > 0 or not (name in NORMALISATIONS or is_of_weights)


def chunks(spec: Features, data: ImageData, size: int) -> Iterator[tuple[int, int, int]]:
    """Yield the chunks of the work as (view, start, stop).

    View 0 is plain and has all images; each further view has the train images, augmented.

    Args:
        size: The number of images in a chunk, a multiple of `BLOCK`.
    """
    views = spec.views if isinstance(spec, Frozen) else 0
    for view in range(views + 1):
        count = len(data.train_indices if view else data.labels_N)
        for start in range(0, count, size):
            yield view, start, min(start + size, count)


def describe_chunk(
    chunk: tuple[int, int, int],
    spec: Features,
    data: ImageData,
    pretrained: Pretrained | None,
) -> FloatArray:
    """Compute the descriptors, ND, of one of `chunks`, on the GPU if the process has one."""
    view, start, stop = chunk
    describer, device = _place_describer(spec, data, pretrained)
    indices = data.train_indices if view else np.arange(len(data.labels_N))
    described = []
    for first in range(start, stop, BLOCK):
        images = data.images_NHWC[indices[first : min(first + BLOCK, stop)]]
        images_NHWC = torch.tensor(images).to(device)
        with torch.inference_mode():
            if view:
                assert isinstance(describer, FrozenDescriber)
                # The block alone seeds the draw, so that it does not depend on the chunks.
                seed = int(np.random.SeedSequence([VIEW_SEED, view, first]).generate_state(1)[0])
                generator = torch.Generator(device).manual_seed(seed)
                features_ND = describer.augmented(images_NHWC, generator)
            else:
                features_ND = describer(images_NHWC)
        described.append(features_ND.cpu().numpy())
    return np.concatenate(described)


def estimate_seconds(spec: Features, data: ImageData, pretrained: Pretrained | None) -> float:
    """Return in how many seconds this process computes all features, by those of a few images."""
    describer, device = _place_describer(spec, data, pretrained)
    images_NHWC = torch.tensor(data.images_NHWC[:TIMED]).to(device)
    with torch.inference_mode():
        describer(images_NHWC[:1])  # not counted: it allocates, and imports
        started = time.perf_counter()
        describer(images_NHWC).cpu()
    seconds = time.perf_counter() - started
    num_images = sum(stop - start for _, start, stop in chunks(spec, data, len(data.labels_N)))
    return seconds / len(images_NHWC) * num_images


def _place_describer(
    spec: Features, data: ImageData, pretrained: Pretrained | None
) -> tuple[nn.Module, str]:
    """Build the describer on the GPU if the process has one -> it, and the device."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    describer = build_describer(
        spec,
        normalisation_of(spec, data, pretrained),
        image_size=data.image_size,
        pretrained=pretrained,
    )
    fold_batch_norm(describer)
    return describer.to(device), device


def assemble(
    described: Mapping[tuple[int, int, int], FloatArray],
    spec: Features,
    data: ImageData,
    pretrained: Pretrained | None,
) -> FeatureData:
    """Join the descriptors of all chunks; reduce HOG's to components fitted on the train split."""
    by_view: dict[int, list[FloatArray]] = {}
    for chunk in sorted(described):
        by_view.setdefault(chunk[0], []).append(described[chunk])
    plain_ND, *views = (np.concatenate(by_view[view]) for view in sorted(by_view))
    reduction: Reduction | None = None
    if isinstance(spec, Hog):
        train = data.train_indices
        reduction = fit_reduction(
            plain_ND[train],
            data.labels_N[train],
            components=spec.components,
            ranked_by=spec.ranked_by,
            seed=0,
        )
        plain_ND = reduce(reduction, plain_ND)
    empty = np.zeros((0, len(data.train_indices), plain_ND.shape[1]), dtype=np.float32)
    return FeatureData(
        plain_ND=plain_ND,
        views_VTD=np.stack(views) if views else empty,
        spec=spec,
        arrays=reduction.arrays() if reduction else {},
        fingerprint=fingerprint(spec, data, pretrained),
    )


def describe_all(
    spec: Features, data: ImageData, pretrained: Pretrained | None = None
) -> FeatureData:
    """Compute all features in this process; the result does not depend on the chunks."""
    work = chunks(spec, data, len(data.labels_N))
    described = {chunk: describe_chunk(chunk, spec, data, pretrained) for chunk in work}
    return assemble(described, spec, data, pretrained)
