"""Train one configuration of an image classifier: data, models, training, a worker's part of a run.

This package knows nothing of searching; `tune_jobs` imports it, never the other way round.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainables.trials.exported.model import ImageModel


def load_model(path: str | Path) -> "ImageModel":
    """Load the exported model or ensemble at a path or URI (`*.safetensors`): see
    `trainables.trials`."""
    from trainables.trials.exported import ensemble

    return ensemble.load_model(path)
