"""Hold the data that all trials of a run share."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from trainables.config import ConfigError, Configuration
from trainables.datasets import ImageData
from trainables.datasets.feature_data import FeatureData
from trainables.training.pretrained import Pretrained


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TrialInputs:
    """Holds the data, and what was computed or loaded once for all trials; arrays are read-only.

    Attributes:
        features: Features to train on in place of the images, or `None`.
        named: Features for the trials whose configuration names them.
        pretrained: Weights to start from, or those of the frozen network behind the features.
        folds: What a trial of each fold of cross-validation is given, where there are any.
    """

    data: ImageData
    features: FeatureData | None = None
    named: Mapping[str, FeatureData] = field(default_factory=dict)
    pretrained: Pretrained | None = None
    folds: "tuple[TrialInputs, ...]" = ()

    def seen_by(self, config: Configuration) -> "TrialInputs":
        """Return what a trial of this configuration is given: the features that it names, if any.

        Raises:
            ConfigError: The run has no features of this name.
        """
        name = config.get("features")
        if name is None:
            return self
        if name not in self.named:
            raise ConfigError(
                f"features = {name!r}: none of this name were computed for the run: its space must "
                "suggest or return it"
            )
        return replace(self, features=self.named[name])
