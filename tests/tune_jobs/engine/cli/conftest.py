"""A model that tells dark images from bright ones."""

from pathlib import Path

import pytest
import torch

from trainables.architectures import find_architecture
from trainables.registry import default_of
from trainables.training.normalisation import Normalisation
from trainables.trials.exported.model import FORMAT, ModelCard, save_model

CLASSES = ("night", "name", "day")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Logits -10 x, -5 and 10 x, where x, from -1 to 1, is the mean of an image's 16 pixels."""
    network = find_architecture("linear")
    linear = network.build(network.Config(), in_channels=1, image_size=(4, 4), num_classes=3)
    weights = torch.tensor([-10.0, 0.0, 10.0])[:, None].expand(3, 16) / 16
    linear.load_state_dict(
        {"classifier.weight": weights, "classifier.bias": torch.tensor([0.0, -5.0, 0.0])}
    )
    card = ModelCard(
        format=FORMAT,
        config=default_of("linear", 1),
        class_names=CLASSES,
        image_size=(4, 4),
        num_channels=1,
        normalisation=Normalisation(mean=(0.5,), std=(0.5,)),
        in_channels=1,
        in_size=(4, 4),
        features=None,
        dataset="made",
        dataset_fingerprint="",
    )
    return save_model(tmp_path_factory.mktemp("model"), card, network=linear, front=None)
