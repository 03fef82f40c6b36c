"""The contract between what computes features and what trains on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trainables.config.features import Features

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FeatureData:
    """Holds the features of every image of an `ImageData`. The arrays are read-only.

    Shapes: N images, D features, T images of the train split, V augmented views (may be 0).

    Attributes:
        plain_ND: Of the images as evaluation sees them, in the order of `images_NHWC`.
        views_VTD: Of augmented views of the train images, in the order of `train_indices`.
        spec: How they are computed.
        arrays: What was fitted on train, or the frozen network's weights: all that an exported
            model needs, besides the spec, to compute them again.
        fingerprint: sha256 of all that they depend on.
        seconds: What it took to compute them, summed over processes; `None`: it is not known.
    """

    plain_ND: FloatArray
    views_VTD: FloatArray
    spec: Features
    arrays: Mapping[str, npt.NDArray[Any]]
    fingerprint: str
    seconds: float | None = None
