"""A network, trained by gradient descent, on images or on features of them."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from trainables.checkpoint import CheckpointClock
from trainables.config import Runtime
from trainables.cost import count_multiply_adds
from trainables.datasets.image_data import Integers
from trainables.evaluate import predict_logits
from trainables.export import build_card, save_model
from trainables.features.extract import normalisation_of
from trainables.features.front import build_front
from trainables.fit import build_training, fit
from trainables.given import Given
from trainables.inputs import ImageInputs
from trainables.intermediate import find_intermediate
from trainables.session import Session
from trainables.team import ALONE, Team


class NetworkTrial:
    def __init__(
        self,
        flat: dict[str, Any],
        given: Given,
        runtime: Runtime,
        *,
        seed: int,
        team: Team = ALONE,
    ) -> None:
        self._flat, self._given = flat, given
        self.training = build_training(
            flat,
            given.data,
            runtime,
            seed=seed,
            features=given.features,
            pretrained=given.pretrained,
            team=team,
        )
        self.epochs = self.training.config.epochs

    def figures(self, session: Session) -> Iterator[dict[str, Any]]:
        """From the newest intact checkpoint on, whose earlier figures are given first."""
        training = self.training
        training.on_step = session.watchdog.progress
        parameters = training.model.parameters()
        extra: dict[str, Any] = {
            "num_parameters": sum(p.numel() for p in parameters if p.requires_grad)
        }
        loaded = session.checkpoints.load_newest()
        if loaded.state is not None:
            training.load_state_dict(loaded.state)
        if loaded.state is not None or loaded.corrupt:
            extra |= {"resumed_from": training.epoch, "corrupt": ", ".join(loaded.corrupt)}
        clock = CheckpointClock(self._given.rungs)
        for report in training.reports[:]:
            yield {**asdict(report), **extra}
        for report in fit(training):
            if report.has_diverged:
                extra["diverged"] = True
            elif report.epoch < self.epochs and clock.is_due(report.epoch):
                session.checkpoints.save(report.epoch, training.state_dict())
            yield {**asdict(report), **extra}

    def predict_logits(self, indices: Integers) -> Tensor:
        place = self.training.inputs.placed.labels_N.device
        return self.training.predict_logits(torch.tensor(indices, device=place))

    def features(self, indices: Integers) -> Tensor:
        last_layer = self.training.model.features
        assert callable(last_layer)  # every architecture has it
        return self._see(indices, last_layer)

    def intermediate_features(self, indices: Integers) -> Tensor | None:
        training = self.training
        one = training.inputs.plain(training.inputs.placed.test[:1])
        middle_layer = find_intermediate(training.model, one)
        return None if middle_layer is None else self._see(indices, middle_layer)

    def _see(self, indices: Integers, layer: Callable[[Tensor], Tensor]) -> Tensor:
        training = self.training
        chosen = torch.tensor(indices, device=training.inputs.placed.labels_N.device)
        return predict_logits(training.model, training.inputs, chosen, training.runtime, layer)

    def count_multiply_adds(self) -> int:
        return count_multiply_adds(self.training)

    def save(self, folder: Path) -> Path:
        given, inputs, front = self._given, self.training.inputs, None
        if isinstance(inputs, ImageInputs):
            normalisation = inputs.normalisation
        else:
            assert given.features is not None
            normalisation = normalisation_of(given.features.spec, given.data, given.pretrained)
            front = build_front(given.features, normalisation, inputs.in_channels, given)
        card = build_card(
            self._flat,
            given.data,
            normalisation=normalisation,
            in_channels=inputs.in_channels,
            in_size=inputs.image_size,
            features=given.features,
        )
        return save_model(folder, card, network=self.training.model, front=front)
