"""A scikit-learn estimator, fitted at growing fidelity."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trainables.classical import ClassicalTraining, Vectors, save_estimator
from trainables.config import parse_estimator
from trainables.datasets.image_data import Integers
from trainables.estimators import find_estimator
from trainables.export import build_card, estimator_path, save_model
from trainables.features.extract import normalisation_of
from trainables.features.front import build_front
from trainables.given import Given
from trainables.session import Session


class EstimatorTrial:
    def __init__(self, flat: dict[str, Any], given: Given, *, seed: int) -> None:
        self._flat, self._given = flat, given
        estimator = find_estimator(flat["architecture"])
        config, own = parse_estimator(flat, estimator.Config)
        assert given.features is not None  # the probe has seen to it
        self._features = given.features
        data, plain_ND = given.data, self._features.plain_ND
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
            rungs=given.rungs,
        )

    def figures(self, session: Session) -> Iterator[dict[str, Any]]:
        """From the first rung that the record does not have; nothing but the data is needed."""
        for figures in self.training.fit(after=session.reported):
            session.watchdog.progress()
            yield figures

    def predict_logits(self, indices: Integers) -> Tensor:
        features_ND = self._features.plain_ND[indices, : self._num_features]
        probabilities_NK = self.training.predict_probabilities(features_ND)
        least = float(np.finfo(np.float32).tiny)
        return torch.tensor(probabilities_NK).clamp(min=least).log()

    def features(self, indices: Integers) -> Tensor:
        return torch.tensor(self._features.plain_ND[indices, : self._num_features])

    def intermediate_features(self, indices: Integers) -> None:
        """An estimator has no layers."""

    def count_multiply_adds(self) -> None:
        """An estimator is no sum of convolutions and matrix products."""

    def save(self, folder: Path) -> Path:
        given, features = self._given, self._features
        normalisation = normalisation_of(features.spec, given.data, given.pretrained)
        card = build_card(
            self._flat,
            given.data,
            normalisation=normalisation,
            in_channels=self._num_features,
            in_size=(1, 1),
            features=features,
        )
        front = build_front(features, normalisation, self._num_features, given)
        target = save_model(folder, card, network=None, front=front)
        save_estimator(estimator_path(target), self.training.fitted)
        return target
