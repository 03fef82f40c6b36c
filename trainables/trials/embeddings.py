"""Keep what a retrained model's layers make of test images, for pictures in the report."""

import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trainables.datasets.image_data import Integers
from trainables.storage import Storage

EMBEDDINGS = "embeddings.npz"
"""The file's name in the folder of a retraining, beside its model and its predictions."""

MOST_EMBEDDED = 1000
"""The most test images that are kept: as many as a t-SNE in a browser takes."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Embeddings:
    """Holds the inputs of two layers of a model, for some images of the test split.

    Attributes:
        positions_N: The images' positions in the test split, and so in `Predictions`.
        last_ND: The classifier's inputs.
        intermediate_ND: The middle layer's inputs; `None` where a model has none.
    """

    positions_N: Integers
    last_ND: Floats
    intermediate_ND: Floats | None

    @property
    def by_layer(self) -> dict[str, Floats]:
        """Return the embeddings by layer, in the network's order."""
        between = {} if self.intermediate_ND is None else {"intermediate": self.intermediate_ND}
        return {**between, "last": self.last_ND}


def choose_positions(num_images: int, most: int = MOST_EMBEDDED) -> Integers:
    """Choose at most `most` positions, evenly spread since a split may be sorted by class."""
    return np.linspace(0, num_images - 1, min(num_images, most)).round().astype(np.int64)


def write_embeddings(folder: Path, embeddings: Embeddings) -> None:
    """Write `embeddings.npz` into `folder`."""
    arrays: dict[str, Any] = {"positions": embeddings.positions_N, **embeddings.by_layer}
    np.savez(folder / EMBEDDINGS, allow_pickle=False, **arrays)


def read_embeddings(place: Storage) -> Embeddings | None:
    """Read what `write_embeddings` wrote to a retraining's place; return `None` if it did not, or
    with a warning if that is damaged."""
    try:
        content = place.read(EMBEDDINGS)
    except FileNotFoundError:
        return None
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return Embeddings(
                positions_N=arrays["positions"],
                last_ND=arrays["last"],
                intermediate_ND=arrays.get("intermediate"),
            )
    except Exception as error:  # damaged bytes raise anything
        file = place.child(EMBEDDINGS).uri
        print(f"warning: {file} is damaged, and its layers not shown: {error!r}", file=sys.stderr)
        return None
