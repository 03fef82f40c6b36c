"""A batch that does not fit in the GPU's memory, in parts: the gradients are those of the whole."""

from collections.abc import Callable

import torch
from torch import Tensor

MAX_MICRO_BATCHES = 64

Backward = Callable[[Tensor, Tensor, float], tuple[Tensor, Tensor]]


class MicroBatches:
    """How many parts a batch is split into: one, until memory runs out; then twice as many.

    The effective batch stays what was asked for. Batch norm sees the parts, so that the number
    belongs to a result. Random draws of a step that ran out of memory are drawn again.
    """

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.count = 1
        self._optimizer = optimizer

    def run(
        self, backward: Backward, batch_NCHW: Tensor, labels_N: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Accumulate the gradients of one batch -> its mean loss, and how many were right.

        Raises:
            torch.OutOfMemoryError: Also with `MAX_MICRO_BATCHES` parts, or with single images.
        """
        while True:
            random_state = _random_state(batch_NCHW.device)
            try:
                return self._run_once(backward, batch_NCHW, labels_N)
            except torch.OutOfMemoryError:
                if self.count >= min(MAX_MICRO_BATCHES, len(labels_N)):
                    raise
            self.count *= 2
            _restore_random_state(random_state, batch_NCHW.device)
            if batch_NCHW.is_cuda:
                torch.cuda.empty_cache()

    def _run_once(
        self, backward: Backward, batch_NCHW: Tensor, labels_N: Tensor
    ) -> tuple[Tensor, Tensor]:
        self._optimizer.zero_grad(set_to_none=True)
        if self.count == 1:
            return backward(batch_NCHW, labels_N, 1.0)
        parts = zip(
            batch_NCHW.tensor_split(self.count), labels_N.tensor_split(self.count), strict=True
        )
        results = [
            backward(part, labels, len(labels) / len(labels_N))
            for part, labels in parts
            if len(labels)
        ]
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
