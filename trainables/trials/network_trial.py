"""Run a trial of a network, trained by gradient descent on images or on features of them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from trainables.config import Configuration, Runtime
from trainables.datasets.image_data import Integers
from trainables.features.extract import normalisation_of
from trainables.features.front import FeatureFront, build_front
from trainables.training.fit import build_training, fit
from trainables.training.inputs import ImageInputs
from trainables.training.intermediate import find_intermediate
from trainables.training.normalisation import Normalisation
from trainables.training.process_group import ALONE, ProcessGroup
from trainables.trials.attempt import Attempt
from trainables.trials.checkpoint import CheckpointClock
from trainables.trials.cost import count_multiply_adds
from trainables.trials.exported.model import build_card, save_model
from trainables.trials.inputs import TrialInputs
from trainables.trials.report import EpochReport, Resumption


class NetworkTrial:
    """Trains a network, and resumes from its newest intact checkpoint."""

    def __init__(
        self,
        config: Configuration,
        inputs: TrialInputs,
        runtime: Runtime,
        *,
        seed: int,
        group: ProcessGroup = ALONE,
    ) -> None:
        self._config, self._shared = config, inputs
        self.training = build_training(
            config,
            inputs.data,
            runtime,
            seed=seed,
            features=inputs.features,
            pretrained=inputs.pretrained,
            group=group,
        )
        self.epochs = self.training.config.epochs

    def train(self, attempt: Attempt) -> Iterator[EpochReport]:
        """Train from the newest intact checkpoint on; report the epochs that it holds first."""
        training = self.training
        training.on_step = training.on_predicting = attempt.watchdog.progress
        loaded, resumption = attempt.checkpoints.load_newest(), None
        if loaded.state is not None:
            training.load_state_dict(loaded.state)
        if loaded.state is not None or loaded.corrupt:
            resumption = Resumption(epoch=training.epoch, corrupt=loaded.corrupt)
        clock = CheckpointClock(attempt.rungs)
        # A driver that died may not have recorded all of them; those that it has are ignored.
        for metrics in training.history[:]:
            yield EpochReport(metrics=metrics, resumption=resumption)
        for metrics in fit(training):
            ends = metrics.diverged or metrics.epoch == self.epochs
            if not ends and clock.is_due(metrics.epoch):
                attempt.checkpoints.save(metrics.epoch, training.state_dict())
            if attempt.goes_on_in and metrics.epoch == self.epochs and not metrics.diverged:
                attempt.goes_on_in.save(metrics.epoch, training.state_dict())
            yield EpochReport(metrics=metrics, resumption=resumption)

    def predict_logits(self, indices: Integers) -> Tensor:
        place = self.training.inputs.placed.labels_N.device
        return self.training.predict_logits(torch.tensor(indices, device=place))

    def features(self, indices: Integers) -> Tensor:
        last_layer = cast("Callable[[Tensor], Tensor]", self.training.model.features)
        return self._see(indices, last_layer)

    def intermediate_features(self, indices: Integers) -> Tensor | None:
        training = self.training
        one = training.inputs.plain(training.inputs.placed.test[:1])
        middle_layer = find_intermediate(training.model, one)
        return None if middle_layer is None else self._see(indices, middle_layer)

    def _see(self, indices: Integers, layer: Callable[[Tensor], Tensor]) -> Tensor:
        """Apply `layer` to the images that `indices` name, in batches; return ND."""
        training = self.training
        chosen = torch.tensor(indices, device=training.inputs.placed.labels_N.device)
        return training.see(chosen, layer)

    def count_multiply_adds(self) -> int:
        inputs = self.training.inputs
        return count_multiply_adds(self.training.model, inputs.plain(inputs.placed.test[:1]))

    def build_front(self) -> FeatureFront | None:
        shared, inputs = self._shared, self.training.inputs
        if shared.features is None:
            return None
        return build_front(
            shared.features,
            self._normalisation(),
            inputs.in_channels,
            data=shared.data,
            pretrained=shared.pretrained,
        )

    def _normalisation(self) -> Normalisation:
        shared, inputs = self._shared, self.training.inputs
        if isinstance(inputs, ImageInputs):
            return inputs.normalisation
        assert shared.features is not None
        return normalisation_of(shared.features.spec, shared.data, shared.pretrained)

    def save(self, folder: Path) -> Path:
        shared, inputs = self._shared, self.training.inputs
        card = build_card(
            self._config,
            shared.data,
            normalisation=self._normalisation(),
            in_channels=inputs.in_channels,
            in_size=inputs.image_size,
            features=shared.features,
        )
        return save_model(folder, card, network=self.training.model, front=self.build_front())
