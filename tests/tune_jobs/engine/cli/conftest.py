"""A model that tells dark images from bright ones."""

from pathlib import Path

import pytest
import torch

from tests.tune_jobs.engine.parts import linear_card
from trainables.architectures import find_architecture
from trainables.trials.exported.model import save_model

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
    card = linear_card(*CLASSES)
    return save_model(tmp_path_factory.mktemp("model"), card, network=linear, front=None)
