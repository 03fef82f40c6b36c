"""A small network that misbehaves on order: its `Config` says how, and from which epoch on."""

import ctypes
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

Fault = Literal["", "nan", "out of memory", "hang", "die", "die while writing", "raise", "wait"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    width: int = 16
    padding: int = 0  # values that only make a checkpoint larger
    fault: Fault = ""
    at_epoch: int = 1
    times: int = 1_000  # only so many processes misbehave: each leaves a file in `folder`
    folder: str = ""
    largest_batch: int = 1_000  # what fits in memory, where that is the fault
    step_seconds: float = 0.0


class Model(nn.Module):
    epochs_begun: Tensor

    def __init__(
        self, config: Config, *, in_channels: int, image_size: tuple[int, int], num_classes: int
    ) -> None:
        super().__init__()
        height, width = image_size
        self.config = config
        self.hidden = nn.Linear(in_channels * height * width, config.width)
        self.classifier = nn.Linear(config.width, num_classes)
        self.register_buffer("epochs_begun", torch.zeros((), dtype=torch.int64))
        self.register_buffer("padding", torch.zeros(config.padding))

    def train(self, mode: bool = True) -> "Model":
        """The training loop calls it as an epoch begins."""
        super().train(mode)
        if mode:
            self.epochs_begun += 1
            self._begin_epoch()
        return self

    def features(self, images_NCHW: Tensor) -> Tensor:
        features_ND: Tensor = self.hidden(images_NCHW.flatten(1)).relu()
        return features_ND

    def forward(self, images_NCHW: Tensor) -> Tensor:
        logits_NK: Tensor = self.classifier(self.features(images_NCHW))
        if not self.training:
            return logits_NK
        time.sleep(self.config.step_seconds)
        if self._is_due("nan"):
            return logits_NK * float("nan")
        if self._is_due("out of memory") and len(images_NCHW) > self.config.largest_batch:
            raise torch.OutOfMemoryError("made up: the batch does not fit")
        return logits_NK

    def _is_due(self, fault: Fault) -> bool:
        return self.config.fault == fault and int(self.epochs_begun) >= self.config.at_epoch

    def _begin_epoch(self) -> None:
        config = self.config
        if config.folder:
            (Path(config.folder) / f"epoch-{int(self.epochs_begun)}.{os.getpid()}").touch()
        if self._is_due("raise"):
            raise RuntimeError("made up: it fails")
        while self._is_due("wait") and not (Path(config.folder) / "go").exists():
            time.sleep(0.01)
        if not (self._is_due("die") or self._is_due("hang") or self._is_due("die while writing")):
            return
        marks = Path(config.folder)
        if len(list(marks.glob("fault-*"))) >= config.times:
            return
        (marks / f"fault-{os.getpid()}").touch()
        if config.fault == "hang":
            time.sleep(1e6)
        elif config.fault == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        else:
            die_in_a_write(config.padding * 2)


def die_in_a_write(size: int) -> None:
    """Have the kernel end this process in the first write that takes a file beyond `size` bytes:
    what lies below is written, as by a kill that comes in the middle."""
    import resource

    libc = ctypes.CDLL(None)
    libc.signal(signal.SIGXFSZ, 0)  # SIG_DFL, which Python has replaced
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
