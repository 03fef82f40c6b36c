"""The training loop works on a batch at a time, never on an image by itself."""

import math
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trainables.architectures import find_architecture
from trainables.config import ConfigError, Configuration, Runtime, TrialConfig, parse_trial
from trainables.config.optimizers import OPTIMIZERS
from trainables.datasets import ImageData
from trainables.datasets.feature_data import FeatureData
from trainables.metrics import METRICS, EpochMetrics
from trainables.training.augment import mixed
from trainables.training.averaging import BestEpoch, average_weights
from trainables.training.device import autocast, memory_format
from trainables.training.evaluate import predict_logits, score
from trainables.training.fine_tuning import group_parameters, train_layers
from trainables.training.inputs import Inputs, build_inputs, place
from trainables.training.losses import balanced_weights, training_loss
from trainables.training.micro_batches import MicroBatches
from trainables.training.pretrained import Pretrained, start_from
from trainables.training.process_group import ALONE, ProcessGroup
from trainables.training.schedules import build_schedule
from trainables.training.scores import Evaluation


class Training:
    """Holds a model and all that changes while it trains.

    Every epoch draws from generators seeded by (seed, epoch) alone, so a training that goes on
    from a checkpoint gives the same numbers as one that was never interrupted.
    """

    def __init__(
        self,
        model: nn.Module,
        config: TrialConfig,
        inputs: Inputs,
        *,
        runtime: Runtime,
        seed: int,
        group: ProcessGroup = ALONE,
    ) -> None:
        model = group.synchronise_batch_norm(model, runtime)
        self._trained = model.to(runtime.device, memory_format=memory_format(runtime))  # type: ignore[call-overload]
        self.config = config
        self.inputs = inputs
        self.runtime = runtime
        self.seed = seed
        self.group = group
        self.history: list[EpochMetrics] = []
        self.num_steps = math.ceil(len(inputs.placed.train) / config.batch_size)
        self._num_parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)
        self._optimizer = OPTIMIZERS[config.optimizer](
            group_parameters(self._trained, config),
            lr=config.lr,
            l2=config.l2,
            momentum=config.momentum,
        )
        self._average = average_weights(
            self._trained, epochs=config.ema_epochs, steps_per_epoch=self.num_steps
        )
        self._best = None if config.keep == "last" else BestEpoch(METRICS[config.keep])
        self._schedule = build_schedule(config, self._optimizer, steps_per_epoch=self.num_steps)
        self._class_weights_K = self._weigh_classes()
        self._micro_batches = MicroBatches(self._optimizer, may_split=group.size == 1)
        self.on_epoch: Callable[[Training], None] = _nothing
        self.on_step: Callable[[], None] = _nothing
        self.on_predicting: Callable[[], None] = _nothing

    @property
    def model(self) -> nn.Module:
        """The network that predicts: the one that is trained, or the average of its weights."""
        return self._average.module if self._average else self._trained

    @property
    def epoch(self) -> int:
        return len(self.history)

    def run_epoch(self) -> EpochMetrics:
        """Train on every image once, then evaluate on validation."""
        started = time.perf_counter()
        lr = float(self._optimizer.param_groups[0]["lr"])
        self.on_epoch(self)
        train_loss, train_accuracy = self.run_steps()
        validation = self.evaluate(self.inputs.placed.validation)
        metrics = EpochMetrics(
            epoch=self.epoch + 1,
            train_loss=train_loss,
            train_accuracy=train_accuracy,
            **validation.on_validation(),
            lr=lr,
            seconds=time.perf_counter() - started,
            num_micro_batches=self._micro_batches.count,
            num_parameters=self._num_parameters,
        )
        if self._best and not metrics.diverged:
            self._best.see(metrics, self.model)
            if metrics.epoch == self.config.epochs:
                metrics = self._best.restore(self.model, metrics)
        self.end_epoch(metrics)
        return metrics

    def end_epoch(self, metrics: EpochMetrics) -> None:
        self._schedule.after_epoch(metrics.val_accuracy)
        self.history.append(metrics)

    def evaluate(self, indices: Tensor) -> Evaluation:
        """Score the model on the images that `indices` name, which are never augmented."""
        return score(self.predict_logits(indices), self.inputs.placed.labels_N[indices])

    def predict_logits(self, indices: Tensor) -> Tensor:
        """Predict float32 logits, NK, on the device that trains."""
        return self.see(indices)

    def see(self, indices: Tensor, layer: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """Return what a layer of the model, or all of it, makes of images, on the device."""
        model, inputs, runtime = self.model, self.inputs, self.runtime
        return predict_logits(model, inputs, indices, runtime, layer, self.on_predicting)

    def state_dict(self) -> dict[str, Any]:
        """Return tensors and plain values only, which load with `weights_only=True`."""
        return {
            "model": self._trained.state_dict(),
            "average": self._average.state_dict() if self._average else None,
            "best": self._best.state_dict() if self._best else None,
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "reports": [metrics.to_json() for metrics in self.history],
            "num_micro_batches": self._micro_batches.count,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._trained.load_state_dict(state["model"])
        if self._average:
            self._average.load_state_dict(state["average"])
        if self._best:
            self._best.load_state_dict(state["best"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        self.history = [EpochMetrics.from_json(stored) for stored in state["reports"]]
        self._micro_batches.count = state["num_micro_batches"]

    def run_steps(self) -> tuple[float, float | None]:
        """Pass over the train split once -> mean loss and accuracy, of the augmented images.

        The accuracy is `None` where labels are mixed: an image of two classes has no right one.
        The last images do not make a small batch of their own: all batches are of even size, at
        most `batch_size`.
        """
        if train_layers(self._trained, all_of_them=self.epoch >= self.config.head_epochs):
            self.__dict__.pop("_averaging_model", None)  # it knows whose gradients it averages
        self._trained.train()
        placed = self.inputs.placed
        device = placed.labels_N.device
        dropout_seed, draw_seed = _epoch_seeds(self.seed, self.epoch)
        generator = torch.Generator(device).manual_seed(draw_seed)
        batches = placed.draw_batches(self.num_steps, self.runtime, generator)
        if self.group.rank > 0:  # the same order, other draws
            dropout_seed, draw_seed = _epoch_seeds(self.seed, self.epoch, self.group.rank)
            generator.manual_seed(draw_seed)
        torch.manual_seed(dropout_seed)
        loss_sum = torch.zeros((), device=self.runtime.device)
        correct = torch.zeros((), device=self.runtime.device, dtype=torch.int64)
        for chosen in batches:
            loss, hits = self._step(chosen, generator)
            loss_sum += loss * len(chosen)
            correct += hits
        count, group = len(placed.train), self.group
        mean_loss = group.total(loss_sum).item() / (group.size * count)
        accuracy = group.total(correct).item() / count
        return mean_loss, None if self.config.mixes else accuracy

    def _weigh_classes(self) -> Tensor | None:
        if self.config.class_weights == "none":
            return None
        placed = self.inputs.placed
        weights_K = balanced_weights(placed.labels_N[placed.train], placed.num_classes)
        return weights_K.to(self.runtime.device)

    @cached_property
    def _averaging_model(self) -> nn.Module:
        return self.group.average_gradients(self._trained)

    def _step(self, chosen: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        part, weight = self.group.part(chosen)
        batch_NCHW = self.inputs.augmented(part, generator)
        placed = self.inputs.placed
        labels_N = placed.labels_N[part].to(self.runtime.device, non_blocking=True)
        batch_NCHW, targets = mixed(
            batch_NCHW, labels_N, self.config, generator, placed.num_classes
        )
        loss, hits = self._micro_batches.run(self._backward, batch_NCHW, targets, weight)
        self._optimizer.step()
        self._schedule.after_step()
        if self._average:
            self._average.update_parameters(self._trained)
        self.on_step()
        return loss, hits

    def _backward(self, batch_NCHW: Tensor, targets: Tensor, share: float) -> tuple[Tensor, Tensor]:
        """Add `share` times the gradients of the mean loss -> that part of it, and the hits."""
        naming = self._micro_batches.naming_single_images(len(batch_NCHW), self.config.batch_size)
        with autocast(self.runtime), naming:
            logits = self._averaging_model(batch_NCHW)
            loss = share * training_loss(
                logits.float(),
                targets,
                label_smoothing=self.config.label_smoothing,
                weights_K=self._class_weights_K,
            )
        loss.backward()  # type: ignore[no-untyped-call]
        labels_N = targets.argmax(dim=1) if self.config.mixes else targets
        return loss.detach(), (logits.detach().argmax(dim=1) == labels_N).sum()


def build_training(
    flat: Configuration,
    data: ImageData,
    runtime: Runtime,
    *,
    seed: int,
    features: FeatureData | None = None,
    pretrained: Pretrained | None = None,
    group: ProcessGroup = ALONE,
) -> Training:
    """Parse, seed and build a training on the images, or on `features` where they are given.

    Raises:
        ConfigError: `flat` breaks a rule, or the pretrained weights do not fit the model, or the
            group has more workers than a batch has images.
    """
    if "architecture" not in flat:
        raise ConfigError("architecture: required, but missing")
    architecture = find_architecture(flat["architecture"])
    config, own = parse_trial(flat, architecture.Config)
    inputs = build_inputs(place(data, features, runtime), config, runtime, pretrained)
    torch.manual_seed(seed)
    model = architecture.build(
        own,
        in_channels=inputs.in_channels,
        image_size=inputs.image_size,
        num_classes=data.num_classes,
    )
    if pretrained and features is None:
        start_from(model, pretrained)
    training = Training(model, config, inputs, runtime=runtime, seed=seed, group=group)
    _check_group(training)
    return training


def _check_group(training: Training) -> None:
    smallest = len(training.inputs.placed.train) // training.num_steps
    if smallest < training.group.size:
        raise ConfigError(
            f"batch_size = {training.config.batch_size}: a batch of {smallest} images is too small "
            f"for {training.group.size} workers: give larger batches, or fewer --workers-per-trial"
        )


def fit(training: Training) -> Iterator[EpochMetrics]:
    """Train to `config.epochs`, yielding each epoch's metrics as soon as they are known.

    The caller stops a training by asking for no more. One that has diverged ends with that epoch.
    """
    while training.epoch < training.config.epochs:
        metrics = training.run_epoch()
        yield metrics
        if metrics.diverged:
            return


def _epoch_seeds(*entropy: int) -> tuple[int, int]:
    first, second = np.random.SeedSequence(entropy).generate_state(2, np.uint64) >> 1
    return int(first), int(second)


def _nothing(*_: object) -> None: ...
