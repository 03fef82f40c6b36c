"""What a trial is given: the images, the job's features, or those that its configuration names."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
import torch

from trainables.config import ConfigError
from trainables.config.features import NAMED
from trainables.datasets import ImageData
from trainables.features.extract import describe_all
from trainables.training.pretrained import load_pretrained
from trainables.trials.inputs import TrialInputs


def test_a_configuration_names_its_features_which_are_computed_once(
    make_data: Callable[..., ImageData], tmp_path: Path
) -> None:
    data = make_data()
    pixels = describe_all(NAMED["pixels"], data)
    inputs = TrialInputs(data=data, features_folder=tmp_path)
    assert inputs.estimate_features({"features": "pixels"}) > 0
    assert list(tmp_path.iterdir()) == [], "no trial has needed them"
    computed, read = (inputs.seen_by({"features": "pixels"}).features for _ in range(2))
    assert computed is not None
    assert read is not None
    assert np.array_equal(read.plain_ND, pixels.plain_ND)
    assert 0 < (computed.seconds or 0) == read.seconds
    kept = sorted(file.name for file in tmp_path.iterdir())
    assert kept == [f"{pixels.fingerprint}.lock", f"{pixels.fingerprint}.npz"]
    assert inputs.estimate_features({"features": "pixels"}) == 0
    assert inputs.seen_by({"features": None}).features is None
    assert inputs.seen_by({}) is inputs, "a configuration of an earlier version"
    of_the_job = TrialInputs(data=data, features=pixels)
    assert of_the_job.seen_by({"features": None}).features is pixels


@pytest.mark.parametrize(("name", "num_files"), [("pixels", 1), ("hog", 3)])
def test_folds_share_features_that_nothing_was_fitted_for(
    make_data: Callable[..., ImageData], tmp_path: Path, name: str, num_files: int
) -> None:
    data = make_data()
    data = replace(data, folds=tuple(np.array_split(data.known_indices, 3)))
    inputs = TrialInputs(data=data, features_folder=tmp_path)
    inputs = replace(
        inputs, folds=tuple(replace(inputs, data=data.in_fold(number)) for number in range(3))
    )
    inputs.folds[0].seen_by({"features": name})
    assert (inputs.estimate_features({"features": name}) == 0) == (num_files == 1)
    for fold in inputs.folds:
        seen = fold.seen_by({"features": name})
        assert seen.features
        expected = describe_all(NAMED[name], fold.data).plain_ND
        np.testing.assert_array_equal(seen.features.plain_ND, expected)
    assert len(list(tmp_path.glob("*.npz"))) == num_files


def test_features_that_are_needed_at_once_are_computed_by_one(
    make_data: Callable[..., ImageData], tmp_path: Path
) -> None:
    inputs, start = TrialInputs(data=make_data(), features_folder=tmp_path), Barrier(4)

    def see(_: int) -> TrialInputs:
        start.wait()
        return inputs.seen_by({"features": "hog"})

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(see, range(4)))
    assert len({seen.features.seconds for seen in found if seen.features}) == 1


def test_a_configuration_has_larger_images_reduced(
    make_data: Callable[..., ImageData], tmp_path: Path
) -> None:
    data, small = make_data(size=(16, 12)), make_data(size=(8, 8))
    inputs = TrialInputs(data=data, reduced={8: small}, features_folder=tmp_path)
    assert inputs.seen_by({"max_image_size": 8}).data is small
    features = inputs.seen_by({"max_image_size": 8, "features": "pixels"}).features
    assert features is not None
    assert features.plain_ND.shape[1] == small.images_NHWC[0].size
    assert inputs.seen_by({"max_image_size": 16}).data is data
    with pytest.raises(ConfigError, match="max_image_size = 4: no images of this size were made"):
        inputs.seen_by({"max_image_size": 4})


def test_weights_are_of_one_architecture(
    make_data: Callable[..., ImageData], tmp_path: Path
) -> None:
    torch.save({"weight": torch.zeros(1)}, tmp_path / "weights.pt")
    inputs = TrialInputs(
        data=make_data(), pretrained=load_pretrained(str(tmp_path / "weights.pt"), "cnn")
    )
    assert inputs.seen_by({"architecture": "cnn"}).pretrained is inputs.pretrained
    assert inputs.seen_by({"architecture": "mlp"}).pretrained is None
