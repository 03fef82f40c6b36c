"""What a trial is made of and what it does; knows nothing of searching."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainables.export import ImageClassifier


def load_model(path: str | Path) -> "ImageClassifier":
    """The exported model at a path or URI (`*.safetensors`): see `trainables.export`."""
    from trainables import export

    return export.load_model(path)
