"""Small data sets that a network learns in an instant."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from trainables.datasets import ImageData
from trainables.storage import LocalStorage
from trainables.trials.attempt import Attempt
from trainables.trials.checkpoint import Checkpoints
from trainables.trials.watchdog import Watchdog


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """As a trial has by default; threads that wait for each other's CPU cost tests minutes."""
    torch.set_num_threads(1)


@pytest.fixture
def make_data() -> Callable[..., ImageData]:
    return _make_data


@pytest.fixture
def make_attempt(tmp_path: Path) -> Callable[[], Attempt]:
    """A first attempt at a trial, its checkpoints below the test's folder."""

    def make(epochs_reported: int = 0) -> Attempt:
        place = LocalStorage(tmp_path / "trial")
        return Attempt(
            checkpoints=Checkpoints(place),
            watchdog=Watchdog(None, place),
            epochs_reported=epochs_reported,
        )

    return make


def _make_data(
    *,
    size: tuple[int, int] = (8, 8),
    channels: int = 1,
    classes: int = 3,
    train: int = 60,
    validation: int = 30,
    test: int = 30,
    seed: int = 0,
) -> ImageData:
    """Each class is a pattern of its own under noise; the three splits are interleaved."""
    generator = np.random.default_rng(seed)
    count = train + validation + test
    labels_N = generator.permutation(np.arange(count, dtype=np.int64) % classes)
    patterns = generator.integers(0, 200, (classes, *size, channels))
    noise = generator.integers(0, 56, (count, *size, channels))
    images_NHWC = (patterns[labels_N] + noise).astype(np.uint8)
    order = generator.permutation(count)
    splits = np.split(order, [train, train + validation])
    arrays = [images_NHWC, labels_N, *(np.sort(split) for split in splits)]
    for array in arrays:
        array.flags.writeable = False
    fingerprint = hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()
    return ImageData(
        images_NHWC=images_NHWC,
        labels_N=labels_N,
        names_N=np.array([f"image {index}" for index in range(count)]),
        class_names=tuple(f"class {k}" for k in range(classes)),
        train_indices=arrays[2],
        validation_indices=arrays[3],
        test_indices=arrays[4],
        fingerprint=fingerprint,
        split_fingerprint=fingerprint,
        source="made",
        notes=(),
    )
