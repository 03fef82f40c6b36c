"""What a trial is given: the images, the job's features, or those that its configuration names."""

from collections.abc import Callable

import pytest

from trainables.config import ConfigError
from trainables.config.features import NAMED
from trainables.datasets import ImageData
from trainables.features.extract import describe_all
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
