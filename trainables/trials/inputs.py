"""What all trials of a run share."""

from dataclasses import dataclass

from trainables.datasets import ImageData
from trainables.datasets.feature_data import FeatureData
from trainables.training.pretrained import Pretrained


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TrialInputs:
    """The data, and what was computed or loaded for all trials at once. The arrays are read-only.

    Attributes:
        features: In place of the images, if the job trains on features.
        pretrained: Weights to start from, or those of the frozen network behind the features.
    """

    data: ImageData
    features: FeatureData | None = None
    pretrained: Pretrained | None = None
