"""A trial, whatever it trains: figures by epoch, a score on test, a model to keep."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from trainables.catalogue import is_estimator
from trainables.config import ConfigError, Runtime
from trainables.datasets.image_data import Integers
from trainables.given import Given
from trainables.session import Session

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.team import Team


class Trial(Protocol):
    epochs: int

    def figures(self, session: Session) -> Iterator[dict[str, Any]]:
        """Each epoch's figures as soon as they are known; after an interruption, some again."""
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
        """Of one image; `None` for what is no network."""
        ...

    def save(self, folder: Path) -> Path:
        """Export the model into `folder`; returns its `.safetensors`."""
        ...


def build_trial(
    flat: dict[str, Any], given: Given, runtime: Runtime, *, seed: int, team: "Team | None" = None
) -> Trial:
    """The trial that a flat configuration describes.

    Args:
        team: Of the processes that train it; `None`: this one alone, as an estimator does always.

    Raises:
        ConfigError: The configuration breaks a rule.
    """
    if "architecture" not in flat:
        raise ConfigError("architecture: required, but missing")
    if is_estimator(flat["architecture"]):
        from trainables.estimator_trial import EstimatorTrial  # imports scikit-learn, for seconds

        return EstimatorTrial(flat, given, seed=seed)
    from trainables.network_trial import NetworkTrial
    from trainables.team import ALONE

    return NetworkTrial(flat, given, runtime, seed=seed, team=team or ALONE)
