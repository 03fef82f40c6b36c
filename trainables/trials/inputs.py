"""Hold the data that all trials of a run share."""

from dataclasses import dataclass

from trainables.datasets import ImageData
from trainables.datasets.feature_data import FeatureData
from trainables.training.pretrained import Pretrained


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TrialInputs:
    """Holds the data, and what was computed or loaded once for all trials; arrays are read-only.

    Attributes:
        features: Features to train on in place of the images, or `None`.
        pretrained: Weights to start from, or those of the frozen network behind the features.
    """

    data: ImageData
    features: FeatureData | None = None
    pretrained: Pretrained | None = None
