"""Images made up for trying a job."""

from pathlib import Path

import numpy as np
import pytest

from trainables.datasets import DatasetError, load_dataset


@pytest.mark.parametrize(
    ("spec", "shape", "classes", "count"),
    [
        ("generated:8x8x1", (8, 8, 1), 10, 60),
        ("generated:33x20x3?classes=2", (33, 20, 3), 2, 60),
        ("generated:5x7x3?classes=96", (5, 7, 3), 96, 480),
        ("generated:8x8x1?classes=4&images=400", (8, 8, 1), 4, 400),
    ],
)
def test_shape_and_splits(
    tmp_path: Path, spec: str, shape: tuple[int, int, int], classes: int, count: int
) -> None:
    data = load_dataset(spec, data_dir=tmp_path)
    assert data.images_NHWC.shape == (count, *shape)
    for indices in (data.train_indices, data.validation_indices, data.test_indices):
        assert set(data.labels_N[indices]) == set(range(classes))
    assert len(data.train_indices) >= count // 2


def test_the_same_text_gives_the_same_images(tmp_path: Path) -> None:
    first = load_dataset("generated:8x8x3", data_dir=tmp_path / "a")
    second = load_dataset("generated:8x8x3", data_dir=tmp_path / "b")
    assert first.fingerprint == second.fingerprint


def test_a_classifier_can_learn_them(tmp_path: Path) -> None:
    """By the nearest class mean of the train split."""
    data = load_dataset("generated:16x16x1?images=400", data_dir=tmp_path)
    pixels = data.images_NHWC.reshape(len(data.labels_N), -1).astype(float)
    train, test = data.train_indices, data.test_indices
    means = np.stack([pixels[train][data.labels_N[train] == k].mean(axis=0) for k in range(10)])
    distances = ((pixels[test][:, None] - means) ** 2).sum(axis=2)
    assert (distances.argmin(axis=1) == data.labels_N[test]).mean() > 0.9


@pytest.mark.parametrize(
    ("spec", "rule"),
    [
        ("generated:8x8", "HEIGHTxWIDTHxCHANNELS"),
        ("generated:8x8x2", "HEIGHTxWIDTHxCHANNELS"),
        ("generated:0x8x1", "HEIGHTxWIDTHxCHANNELS"),
        ("generated", "must give HxWxC, as generated:HxWxC"),
        ("generated:8x8x1?classes=1", "classes must be a number, at least 2"),
        ("generated:8x8x1?images=ten", "images must be a number, at least 50"),
        ("generated:8x8x1?images=30", "images must be a number, at least 50"),
        ("generated:8x8x1?class=3", "did you mean 'classes'"),
    ],
)
def test_what_breaks_a_rule_is_refused(tmp_path: Path, spec: str, rule: str) -> None:
    with pytest.raises(DatasetError, match=rule):
        load_dataset(spec, data_dir=tmp_path)
