"""Hold the data that all trials of a run share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from trainables.config import ConfigError, Configuration
from trainables.config.features import NAMED
from trainables.config.trial import reduced_size
from trainables.datasets import ImageData
from trainables.datasets.feature_data import FeatureData
from trainables.features.extract import estimate_seconds
from trainables.features.store import file_of, load_features
from trainables.training.pretrained import Pretrained


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TrialInputs:
    """Holds the data, and what was computed or loaded once for all trials; arrays are read-only.

    Attributes:
        reduced: The data again with smaller images, by their side in pixels.
        features: Features to train on in place of the images, or `None`.
        features_folder: Where the features are kept that configurations name.
        pretrained: Weights that networks of their architecture start from, or those of the frozen
            network behind the features.
        folds: What a trial of each fold of cross-validation is given, where there are any.
    """

    data: ImageData
    reduced: Mapping[int, ImageData] = field(default_factory=dict)
    features: FeatureData | None = None
    features_folder: Path | None = None
    pretrained: Pretrained | None = None
    folds: "tuple[TrialInputs, ...]" = ()

    def with_data(self, change: Callable[[ImageData], ImageData]) -> "TrialInputs":
        """Return the inputs with all their images changed."""
        return replace(
            self,
            data=change(self.data),
            reduced={size: change(small) for size, small in self.reduced.items()},
            folds=tuple(fold.with_data(change) for fold in self.folds),
        )

    def of_size(self, size: int | None) -> ImageData:
        """Return the data with images reduced to `size`, or as they are.

        Raises:
            ConfigError: The run has none of this size.
        """
        if size is None:
            return self.data
        if size not in self.reduced:
            raise ConfigError(
                f"max_image_size = {size}: no images of this size were made for the run: its space "
                "must suggest or return it"
            )
        return self.reduced[size]

    def seen_by(self, config: Configuration) -> "TrialInputs":
        """Return what a trial of this configuration is given: images of the size that it asks for,
        the features that it names, and weights if they are of its architecture.

        Features that it names are computed here, if no trial has needed them before. Those of the
        job's own are of the images as they are.

        Raises:
            ConfigError: The run has no images of this size, or they have no such features.
        """
        name = config.get("features")
        if name is None and self.features is not None:
            return self
        size = reduced_size(config, self.data.image_size)
        seen = self if size is None else replace(self, data=self.of_size(size))
        if name is None:
            of = self.pretrained and self.pretrained.architecture
            return (
                seen if of in (None, config.get("architecture")) else replace(seen, pretrained=None)
            )
        assert self.features_folder
        found = load_features(self.features_folder, NAMED[name], seen.data, self.pretrained)
        return replace(seen, features=found)

    def estimate_features(self, config: Configuration) -> float:
        """Return in how many seconds, about, the features are computed that a configuration names:
        none if they were before."""
        assert self.features_folder
        spec = NAMED[config["features"]]
        size = reduced_size(config, self.data.image_size)
        seen = [given.of_size(size) for given in self.folds or (self,)]
        # Features that do not differ between folds are in one file.
        needed = {file_of(self.features_folder, spec, data, self.pretrained): data for data in seen}
        return sum(
            estimate_seconds(spec, data, self.pretrained)
            for file, data in needed.items()
            if not file.is_file()
        )
