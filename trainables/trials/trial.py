"""A trial, whatever it trains: metrics by epoch, predictions, a model to keep."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from trainables.datasets.image_data import Integers
from trainables.trials.attempt import Attempt
from trainables.trials.report import EpochReport

if TYPE_CHECKING:
    from torch import Tensor


class Trial(Protocol):
    epochs: int

    def train(self, attempt: Attempt) -> Iterator[EpochReport]:
        """Report each epoch as soon as it has ended; after an interruption, some epochs again."""
        ...

    def predict_logits(self, indices: Integers) -> "Tensor":
        """Logits or log-probabilities, NK, of the images that `indices` name."""
        ...

    def features(self, indices: Integers) -> "Tensor":
        """What the classifier sees of these images, ND."""
        ...

    def intermediate_features(self, indices: Integers) -> "Tensor | None":
        """What the middle layer sees of them, ND; `None` where there is none."""
        ...

    def count_multiply_adds(self) -> int | None:
        """Those of the prediction of one image; `None` for what is no network."""
        ...

    def save(self, folder: Path) -> Path:
        """Export the model into `folder`; returns its `.safetensors`."""
        ...
