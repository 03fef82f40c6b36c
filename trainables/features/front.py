"""Turn pixels into features, at the front of an exported model that was trained on features."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trainables.config.features import Features
from trainables.datasets import ImageData
from trainables.datasets.feature_data import FeatureData
from trainables.features.describe import build_describer
from trainables.features.reduce import Reduction, reduce
from trainables.training.normalisation import Normalisation
from trainables.training.pretrained import Pretrained

REDUCTION = "reduction."
"""The prefix of a reduction's arrays in `state_dict`: `FeatureFront.reduction` holds them."""


class FeatureFront(nn.Module):
    """Describes images, reduces the descriptors if a reduction was fitted, keeps the first ones."""

    def __init__(
        self, describer: nn.Module, reduction: Reduction | None, num_features: int
    ) -> None:
        super().__init__()
        self.describer = describer
        # The arrays are buffers only to be exported with the weights; `reduce` takes numpy's.
        self.reduction = nn.Module()
        for name, array in (reduction.arrays() if reduction else {}).items():
            self.reduction.register_buffer(name, torch.tensor(array))
        self._fitted = reduction
        self._num_features = num_features

    def forward(self, images_NHWC: Tensor) -> Tensor:
        """Turn uint8 NHWC into float32 features, shaped as images of one pixel, NCHW."""
        features_ND: Tensor = self.describer(images_NHWC)
        if self._fitted:
            reduced_ND = torch.from_numpy(reduce(self._fitted, features_ND.cpu().numpy()))
            features_ND = reduced_ND.to(images_NHWC.device)
        return features_ND[:, : self._num_features, None, None]


def build_feature_front(
    spec: Features,
    normalisation: Normalisation,
    *,
    image_size: tuple[int, int],
    num_features: int,
    pretrained: Pretrained | None,
    arrays: Mapping[str, "np.ndarray[Any, Any]"],
) -> FeatureFront:
    """Build the front that `spec` describes.

    Args:
        arrays: The fitted arrays, by names that begin with `REDUCTION`.
    """
    describer = build_describer(spec, normalisation, image_size=image_size, pretrained=pretrained)
    fitted = {n.removeprefix(REDUCTION): a for n, a in arrays.items() if n.startswith(REDUCTION)}
    reduction = Reduction.from_arrays(fitted) if fitted else None
    return FeatureFront(describer, reduction, num_features)


def build_front(
    features: FeatureData,
    normalisation: Normalisation,
    num_features: int,
    *,
    data: ImageData,
    pretrained: Pretrained | None,
) -> FeatureFront:
    """Build the front of a model that was trained on the first `num_features` of `features`."""
    return build_feature_front(
        features.spec,
        normalisation,
        image_size=data.image_size,
        num_features=num_features,
        pretrained=pretrained,
        arrays={REDUCTION + name: array for name, array in features.arrays.items()},
    )
