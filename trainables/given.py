"""What all trials of a run share."""

from collections.abc import Sequence
from dataclasses import dataclass

from trainables.datasets import ImageData
from trainables.features.feature_data import FeatureData
from trainables.pretrained import Pretrained


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Given:
    """The data, and what was computed or loaded for all trials at once.

    Attributes:
        features: In place of the images, if the job trains on features.
        pretrained: Weights to start from, or those of the frozen network behind the features.
        rungs: Epochs at which early stopping looks at a trial.
    """

    data: ImageData
    features: FeatureData | None = None
    pretrained: Pretrained | None = None
    rungs: Sequence[int] = ()
