"""The training loop. Images are on the device as one tensor; nothing is done per image."""

import math
import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trainables.architectures import find_architecture
from trainables.augment import augment, train_normalisation
from trainables.config import ConfigError, Runtime, TrialConfig, parse_trial
from trainables.datasets import ImageData
from trainables.device import autocast, memory_format
from trainables.evaluate import Evaluation, evaluate
from trainables.optim import build_optimizer, build_schedule

SHARE_OF_DEVICE_MEMORY = 0.5
"""A data set that takes more than this of the free GPU memory stays on the host."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EpochReport:
    """One epoch's figures; accuracies are fractions, `lr` is the rate the epoch began with."""

    epoch: int  # from 1
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    lr: float
    seconds: float

    @property
    def is_finite(self) -> bool:
        return math.isfinite(self.train_loss) and math.isfinite(self.val_loss)


class DeviceData:
    """One `ImageData` where `runtime` can index it: on the GPU if it fits, else zero-copy."""

    def __init__(self, data: ImageData, runtime: Runtime) -> None:
        self.normalisation = train_normalisation(data)
        place = _place(data.images_NHWC.nbytes, runtime)
        self.images_NHWC = _tensor(data.images_NHWC).to(place)
        self.labels_N = _tensor(data.labels_N).to(place)
        self.train = _tensor(data.train_indices).to(place)
        self.validation = _tensor(data.validation_indices).to(place)
        self.test = _tensor(data.test_indices).to(place)


class Training:
    """A model and all that changes while it trains.

    Every epoch draws from generators seeded by (seed, epoch) alone, so a training that goes on
    from a checkpoint gives the same numbers as one that was never interrupted.
    """

    def __init__(
        self,
        model: nn.Module,
        config: TrialConfig,
        data: DeviceData,
        *,
        runtime: Runtime,
        seed: int,
    ) -> None:
        self.model = model.to(runtime.device, memory_format=memory_format(runtime))  # type: ignore[call-overload]
        self.config = config
        self.data = data
        self.runtime = runtime
        self.seed = seed
        self.reports: list[EpochReport] = []
        self.num_steps = math.ceil(len(data.train) / config.batch_size)
        self._optimizer = build_optimizer(config, self.model.parameters())
        self._schedule = build_schedule(config, self._optimizer, steps_per_epoch=self.num_steps)

    @property
    def epoch(self) -> int:
        return len(self.reports)

    def run_epoch(self) -> EpochReport:
        """Train on every image once, then evaluate on validation."""
        started = time.perf_counter()
        lr = float(self._optimizer.param_groups[0]["lr"])
        train_loss, train_accuracy = self._train()
        validation = self.evaluate(self.data.validation)
        self._schedule.after_epoch(validation.accuracy)
        report = EpochReport(
            epoch=self.epoch + 1,
            train_loss=train_loss,
            train_accuracy=train_accuracy,
            val_loss=validation.loss,
            val_accuracy=validation.accuracy,
            lr=lr,
            seconds=time.perf_counter() - started,
        )
        self.reports.append(report)
        return report

    def evaluate(self, indices: Tensor) -> Evaluation:
        return evaluate(
            self.model,
            self.data.images_NHWC,
            self.data.labels_N,
            indices,
            normalisation=self.data.normalisation,
            runtime=self.runtime,
        )

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain values only, so that it loads with `weights_only=True`."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "reports": [asdict(report) for report in self.reports],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        self.reports = [EpochReport(**report) for report in state["reports"]]

    def _train(self) -> tuple[float, float]:
        """One pass over the train split -> mean loss and accuracy, of the augmented images.

        The last images do not make a small batch of their own: all batches are of even size, at
        most `batch_size`.
        """
        self.model.train()
        device = self.data.images_NHWC.device
        dropout_seed, draw_seed = _epoch_seeds(self.seed, self.epoch)
        torch.manual_seed(dropout_seed)
        generator = torch.Generator(device).manual_seed(draw_seed)
        order = torch.randperm(len(self.data.train), device=device, generator=generator)
        loss_sum = torch.zeros((), device=self.runtime.device)
        correct = torch.zeros((), device=self.runtime.device, dtype=torch.int64)
        for chosen in self.data.train[order].tensor_split(self.num_steps):
            loss, hits = self._step(chosen, generator)
            loss_sum += loss * len(chosen)
            correct += hits
        count = len(self.data.train)
        return loss_sum.item() / count, correct.item() / count

    def _step(self, chosen: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        images = self.data.images_NHWC.index_select(0, chosen)
        images = augment(images, self.config, generator)
        images = images.to(self.runtime.device, non_blocking=True)
        labels = self.data.labels_N[chosen].to(self.runtime.device, non_blocking=True)
        with autocast(self.runtime):
            logits = self.model(self.data.normalisation(images, memory_format(self.runtime)))
            loss = nn.functional.cross_entropy(
                logits.float(), labels, label_smoothing=self.config.label_smoothing
            )
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self._schedule.after_step()
        return loss.detach(), (logits.detach().argmax(dim=1) == labels).sum()


def build_training(
    flat: dict[str, Any], data: ImageData, runtime: Runtime, *, seed: int
) -> Training:
    """Parse, seed and build.

    Raises:
        ConfigError: `flat` breaks a rule of `TrialConfig` or of the architecture's `Config`.
    """
    if "architecture" not in flat:
        raise ConfigError("architecture: required, but missing")
    architecture = find_architecture(flat["architecture"])
    config, own = parse_trial(flat, architecture.Config)
    torch.manual_seed(seed)
    model = architecture.build(
        own,
        in_channels=data.num_channels,
        image_size=data.image_size,
        num_classes=data.num_classes,
    )
    return Training(model, config, _device_data(data, runtime), runtime=runtime, seed=seed)


def fit(training: Training) -> Iterator[EpochReport]:
    """Train to `config.epochs`, yielding each epoch's figures as soon as they are known.

    The caller stops a training by asking for no more. A loss that is not finite ends it: the
    last report then says so (`is_finite`).
    """
    while training.epoch < training.config.epochs:
        report = training.run_epoch()
        yield report
        if not report.is_finite:
            return


_placed: dict[tuple[str, str, str], DeviceData] = {}


def _device_data(data: ImageData, runtime: Runtime) -> DeviceData:
    """The data on this process's device; a worker that trains many trials places it once."""
    key = (data.fingerprint, data.split_fingerprint, runtime.device)
    if key not in _placed:
        _placed.clear()
        _placed[key] = DeviceData(data, runtime)
    return _placed[key]


def _epoch_seeds(seed: int, epoch: int) -> tuple[int, int]:
    first, second = np.random.SeedSequence([seed, epoch]).generate_state(2, np.uint64) >> 1
    return int(first), int(second)


def _place(num_bytes: int, runtime: Runtime) -> torch.device:
    if runtime.device == "cuda":
        free_bytes, _ = torch.cuda.mem_get_info()
        if num_bytes <= SHARE_OF_DEVICE_MEMORY * free_bytes:
            return torch.device("cuda")
    return torch.device("cpu")


def _tensor(array: "np.ndarray[Any, Any]") -> Tensor:
    """A tensor over the array's own memory; it is only read, as Ray's object store demands."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array)
