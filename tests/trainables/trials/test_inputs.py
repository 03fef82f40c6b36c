"""What a trial is given: the images, the job's features, or those that its configuration names."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from trainables.config import ConfigError
from trainables.config.features import NAMED
from trainables.datasets import ImageData
from trainables.features.extract import describe_all
from trainables.training.pretrained import load_pretrained
from trainables.trials.inputs import TrialInputs


def test_a_configuration_names_its_features(make_data: Callable[..., ImageData]) -> None:
    data = make_data()
    pixels = describe_all(NAMED["pixels"], data)
    inputs = TrialInputs(data=data, named={(None, "pixels"): pixels})
    assert inputs.seen_by({"features": "pixels"}).features is pixels
    assert inputs.seen_by({"features": None}).features is None
    assert inputs.seen_by({}) is inputs, "a configuration of an earlier version"
    of_the_job = TrialInputs(data=data, features=pixels)
    assert of_the_job.seen_by({"features": None}).features is pixels
    with pytest.raises(ConfigError, match="features = 'hog': none of this name were computed"):
        inputs.seen_by({"features": "hog"})


def test_a_configuration_has_larger_images_reduced(make_data: Callable[..., ImageData]) -> None:
    data, small = make_data(size=(16, 12)), make_data(size=(8, 8))
    pixels = describe_all(NAMED["pixels"], small)
    inputs = TrialInputs(data=data, reduced={8: small}, named={(8, "pixels"): pixels})
    assert inputs.seen_by({"max_image_size": 8}).data is small
    assert inputs.seen_by({"max_image_size": 8, "features": "pixels"}).features is pixels
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
