"""A batch that does not fit in the GPU's memory runs in parts, with the gradients of the whole."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import starmap

import torch
from torch import Tensor

from trainables.config import ConfigError

MAX_MICRO_BATCHES = 64

Backward = Callable[[Tensor, Tensor, float], tuple[Tensor, Tensor]]


class MicroBatches:
    """Splits batches into parts: one, until memory runs out; then twice as many.

    The effective batch stays what was asked for. Batch norm sees the parts, so that their number
    belongs to a result. Random draws of a step that ran out of memory are drawn again.

    Args:
        may_split: Whether batches may be split; in a group they may not, since its other
            processes may have had memory enough, and wait.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, *, may_split: bool) -> None:
        self.count = 1
        self._may_split = may_split
        self._optimizer = optimizer

    def run(
        self, backward: Backward, batch_NCHW: Tensor, targets: Tensor, weight: float = 1.0
    ) -> tuple[Tensor, Tensor]:
        """Accumulate the gradients of one batch -> its mean loss, and how many were right.

        Args:
            targets: Labels, N, or the shares of the classes, NK.
            weight: The weight of this batch's mean loss.

        Raises:
            torch.OutOfMemoryError: Memory runs out with `MAX_MICRO_BATCHES` parts or with single
                images, or batches may not be split.
        """
        while True:
            random_state = _random_state(batch_NCHW.device)
            try:
                self._optimizer.zero_grad(set_to_none=True)
                parts = self._split(batch_NCHW, targets, weight)
                return _sum(list(starmap(backward, parts)))
            except torch.OutOfMemoryError as error:
                if not self._may_split:
                    raise torch.OutOfMemoryError(
                        f"{error}; a batch is not split further where workers share it: give "
                        "smaller batches, or more GPUs per trial"
                    ) from error
                if self.count >= min(MAX_MICRO_BATCHES, len(targets)):
                    raise
            self.count *= 2
            _restore_random_state(random_state, batch_NCHW.device)
            if batch_NCHW.is_cuda:
                torch.cuda.empty_cache()

    @contextmanager
    def naming_single_images(self, num_images: int, batch_size: int) -> Iterator[None]:
        """Say what to do where batch norm refuses a part of one image: its words do not.

        Raises:
            ConfigError: It does.
        """
        try:
            yield
        except ValueError as error:
            if num_images > 1 or "more than 1 value per channel" not in str(error):
                raise
            raise ConfigError(
                f"batch_size = {batch_size}: batch norm cannot train on a single image: "
                + (
                    "take a larger batch"
                    if self.count == 1
                    else f"the batch did not fit in memory, nor in {self.count // 2} parts; a "
                    "smaller model or image might"
                )
            ) from error

    def _split(
        self, batch_NCHW: Tensor, targets: Tensor, weight: float
    ) -> list[tuple[Tensor, Tensor, float]]:
        """Cut the batch into `count` parts, each with the weight of its mean loss."""
        if self.count == 1:
            return [(batch_NCHW, targets, weight)]
        parts = zip(
            batch_NCHW.tensor_split(self.count), targets.tensor_split(self.count), strict=True
        )
        return [
            (part, wanted, weight * len(wanted) / len(targets))
            for part, wanted in parts
            if len(wanted)
        ]


def _sum(results: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    if len(results) == 1:
        return results[0]
    losses, hits = zip(*results, strict=True)
    return torch.stack(losses).sum(), torch.stack(hits).sum()


def _random_state(device: torch.device) -> tuple[Tensor, Tensor | None]:
    return torch.get_rng_state(), torch.cuda.get_rng_state(
        device
    ) if device.type == "cuda" else None


def _restore_random_state(state: tuple[Tensor, Tensor | None], device: torch.device) -> None:
    cpu, cuda = state
    torch.set_rng_state(cpu)
    if cuda is not None:
        torch.cuda.set_rng_state(cuda, device)
