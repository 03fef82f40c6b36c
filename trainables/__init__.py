"""What a trial is made of and what it does; knows nothing of searching."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainables.trials.export import ImageClassifier


def load_model(path: str | Path) -> "ImageClassifier":
    """The exported model at a path or URI (`*.safetensors`): see `trainables.trials.export`."""
    from trainables.trials import export

    return export.load_model(path)
