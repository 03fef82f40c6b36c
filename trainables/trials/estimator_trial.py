"""Run a trial of a scikit-learn estimator, fitted at growing fidelity."""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from trainables.config import ConfigError, Configuration, parse_estimator
from trainables.datasets.feature_data import FeatureData
from trainables.datasets.image_data import Integers
from trainables.estimators import find_estimator
from trainables.features.extract import normalisation_of
from trainables.features.front import FeatureFront, build_front
from trainables.training.classical import ClassicalTraining, Vectors, save_estimator
from trainables.training.normalisation import Normalisation
from trainables.training.scores import LEAST_PROBABILITY
from trainables.trials.attempt import Attempt
from trainables.trials.exported.model import build_card, estimator_path, save_model
from trainables.trials.inputs import TrialInputs
from trainables.trials.report import EpochReport


def features_of(inputs: TrialInputs, architecture: str) -> FeatureData:
    """Return the features that an estimator is fitted on.

    Raises:
        ConfigError: The job computes none.
    """
    if inputs.features is None:
        raise ConfigError(f"architecture = {architecture!r}: an estimator needs features")
    return inputs.features


class EstimatorTrial:
    """Fits a scikit-learn estimator, on more images or for more rounds at every rung."""

    def __init__(self, flat: Configuration, inputs: TrialInputs, *, seed: int) -> None:
        self._config, self._shared = flat, inputs
        estimator = find_estimator(flat["architecture"])
        config, own = parse_estimator(flat, estimator.Config)
        self._features = features_of(inputs, estimator.name)
        data, plain_ND = inputs.data, self._features.plain_ND
        width = plain_ND.shape[1]
        self._num_features = min(config.num_features or width, width)
        self.epochs = config.epochs
        self.training = ClassicalTraining(
            config,
            own,
            estimator,
            Vectors(
                train_ND=plain_ND[data.train_indices, : self._num_features],
                train_labels_N=data.labels_N[data.train_indices],
                validation_ND=plain_ND[data.validation_indices, : self._num_features],
                validation_labels_N=data.labels_N[data.validation_indices],
                num_classes=data.num_classes,
            ),
            seed=seed,
            num_threads=torch.get_num_threads(),
        )

    def train(self, attempt: Attempt) -> Iterator[EpochReport]:
        """Fit from the first rung that the record does not have; a fit needs no checkpoint."""
        for metrics in self.training.fit(rungs=attempt.rungs, after=attempt.epochs_reported):
            attempt.watchdog.progress()
            yield EpochReport(metrics=metrics)

    def predict_logits(self, indices: Integers) -> Tensor:
        features_ND = self._features.plain_ND[indices, : self._num_features]
        probabilities_NK = self.training.predict_probabilities(features_ND)
        return torch.tensor(probabilities_NK).clamp(min=LEAST_PROBABILITY).log()

    def features(self, indices: Integers) -> Tensor:
        return torch.tensor(self._features.plain_ND[indices, : self._num_features])

    def intermediate_features(self, indices: Integers) -> None:
        """Return nothing: an estimator has no layers."""

    def count_multiply_adds(self) -> None:
        """Return nothing: an estimator is no sum of convolutions and matrix products."""

    def build_front(self) -> FeatureFront:
        shared = self._shared
        return build_front(
            self._features,
            self._normalisation(),
            self._num_features,
            data=shared.data,
            pretrained=shared.pretrained,
        )

    def _normalisation(self) -> Normalisation:
        return normalisation_of(self._features.spec, self._shared.data, self._shared.pretrained)

    def save(self, folder: Path) -> Path:
        card = build_card(
            self._config,
            self._shared.data,
            normalisation=self._normalisation(),
            in_channels=self._num_features,
            in_size=(1, 1),
            features=self._features,
        )
        target = save_model(folder, card, network=None, front=self.build_front())
        save_estimator(estimator_path(target), self.training.fitted)
        return target
