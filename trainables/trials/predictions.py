"""Keep what a model predicts of each test and validation image: models are compared by the one, and
joined by the other, without retraining them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from trainables.datasets.image_data import Integers
from trainables.storage import Storage

PREDICTIONS = "predictions.parquet"
"""The name of the file of the test split in the folder of a retraining, beside its model."""

VALIDATION = "validation.parquet"
"""The name of that of the validation split; an earlier version wrote none."""


class DamagedFileError(ValueError):
    """A file is not as it was written; the message names it."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Predictions:
    """Holds one row per image of a split, in the split's order.

    Attributes:
        indices_N: Indices into `ImageData.images_NHWC`.
        labels_N: The true classes.
        predicted_N: The most probable classes, by the logits: float32 probabilities may tie where
            these do not.
        probabilities_NK: The class probabilities, float32.
        names: What `ImageData.names_N` calls the images; `None` in what an earlier version wrote.
    """

    indices_N: Integers
    labels_N: Integers
    predicted_N: Integers
    probabilities_NK: npt.NDArray[np.float32]
    names: tuple[str, ...] | None = None

    @property
    def correct_N(self) -> npt.NDArray[np.bool_]:  # noqa: N802 (a shape)
        correct_N: npt.NDArray[np.bool_] = self.predicted_N == self.labels_N
        return correct_N


def write_predictions(folder: Path, predictions: Predictions, name: str = PREDICTIONS) -> None:
    """Write `predictions.parquet`, or the file of another split, into `folder`."""
    num_classes = predictions.probabilities_NK.shape[1]
    flat = pa.array(predictions.probabilities_NK.ravel(), pa.float32())
    columns = {
        "index": pa.array(predictions.indices_N, pa.int64()),
        "label": pa.array(predictions.labels_N, pa.int64()),
        "predicted": pa.array(predictions.predicted_N, pa.int64()),
        "probabilities": pa.FixedSizeListArray.from_arrays(flat, num_classes),
    }
    if predictions.names is not None:
        columns["name"] = pa.array(predictions.names, pa.string())
    table = pa.table(columns)
    pq.write_table(table, folder / name, compression="zstd", write_page_checksum=True)


def read_predictions(place: Storage, name: str = PREDICTIONS) -> Predictions | None:
    """Read what `write_predictions` wrote to a retraining's place; return `None` where it did not.

    Raises:
        DamagedFileError: The file is not as it was written; its pages have checksums.
        OSError: The place cannot be read (`StorageError` from an object store).
    """
    try:
        content = place.read(name)
    except FileNotFoundError:
        return None
    try:
        with pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True) as stored:
            table = stored.read().combine_chunks()
        probabilities = table["probabilities"].combine_chunks()
        return Predictions(
            indices_N=table["index"].to_numpy(),
            labels_N=table["label"].to_numpy(),
            predicted_N=table["predicted"].to_numpy(),
            probabilities_NK=probabilities.flatten()
            .to_numpy()
            .reshape(-1, probabilities.type.list_size),
            names=tuple(table["name"].to_pylist()) if "name" in table.column_names else None,
        )
    except (OSError, KeyError, pa.ArrowException) as error:  # by the bytes: the place was read
        raise DamagedFileError(f"{place.child(name).uri}: {error}") from error
