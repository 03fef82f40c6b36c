"""A trial, whatever it trains: figures by epoch, a score on test, a model to keep."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from trainables.catalogue import is_estimator
from trainables.config import ConfigError, Runtime
from trainables.datasets.image_data import Integers
from trainables.evaluate import Evaluation
from trainables.given import Given
from trainables.session import Session


class Trial(Protocol):
    epochs: int

    def figures(self, session: Session) -> Iterator[dict[str, Any]]:
        """Each epoch's figures as soon as they are known; after an interruption, some again."""
        ...

    def evaluate(self, indices: Integers) -> Evaluation: ...

    def save(self, folder: Path) -> Path:
        """Export the model into `folder`; returns its `.safetensors`."""
        ...


def build_trial(flat: dict[str, Any], given: Given, runtime: Runtime, *, seed: int) -> Trial:
    """The trial that a flat configuration describes.

    Raises:
        ConfigError: The configuration breaks a rule.
    """
    if "architecture" not in flat:
        raise ConfigError("architecture: required, but missing")
    if is_estimator(flat["architecture"]):
        from trainables.estimator_trial import EstimatorTrial  # imports scikit-learn, for seconds

        return EstimatorTrial(flat, given, seed=seed)
    from trainables.network_trial import NetworkTrial

    return NetworkTrial(flat, given, runtime, seed=seed)
