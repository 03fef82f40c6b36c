"""Define what every trial offers: metrics by epoch, predictions, and a model to keep."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from trainables.datasets.image_data import Integers
from trainables.trials.attempt import Attempt
from trainables.trials.report import EpochReport

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.features.front import FeatureFront


class Trial(Protocol):
    """Trains one configuration for at most `epochs`, predicts with the model, and exports it."""

    epochs: int

    def train(self, attempt: Attempt) -> Iterator[EpochReport]:
        """Report each epoch as soon as it has ended; after an interruption, some epochs again."""
        ...

    def predict_logits(self, indices: Integers) -> "Tensor":
        """Return logits or log-probabilities, NK, of the images that `indices` name."""
        ...

    def features(self, indices: Integers) -> "Tensor":
        """Return the classifier's inputs, ND, for the images that `indices` name."""
        ...

    def intermediate_features(self, indices: Integers) -> "Tensor | None":
        """Return the middle layer's inputs, ND, for these images; `None` where there is none."""
        ...

    def count_multiply_adds(self) -> int | None:
        """Count the multiply-adds that predict one image; return `None` without a network."""
        ...

    def build_front(self) -> "FeatureFront | None":
        """Build what turns images into the features that it trains on; return `None` where it
        trains on images."""
        ...

    def save(self, folder: Path) -> Path:
        """Export the model into `folder`; return the path of its `.safetensors`."""
        ...
