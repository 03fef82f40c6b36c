"""Predict a set of images, which are never augmented, and score the predictions."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from trainables.config import Runtime
from trainables.training.device import autocast
from trainables.training.inputs import Inputs
from trainables.training.scores import Evaluation, evaluate

BATCH_SIZE = 256


@torch.inference_mode()
def predict_logits(
    model: nn.Module,
    inputs: Inputs,
    indices: Tensor,
    runtime: Runtime,
    function: Callable[[Tensor], Tensor] | None = None,
    on_batch: Callable[[], None] = lambda: None,
) -> Tensor:
    """Predict float32 logits, NK, of the images that `indices` name, in batches that fit in memory.

    Args:
        function: A part of the model, which is called in place of the whole.
        on_batch: Called before each batch.
    """
    model.eval()
    part = function or model

    def predict(chosen: slice) -> Tensor:
        on_batch()
        with autocast(runtime):
            return part(inputs.plain(indices[chosen])).float()

    return torch.cat(list(in_batches(predict, len(indices))))


def in_batches(predict: Callable[[slice], Tensor], num_images: int) -> Iterator[Tensor]:
    """Call `predict` for slices of N images, for shorter ones once memory was too short."""
    batch_size, done = BATCH_SIZE, 0
    while done < num_images:
        chosen = slice(done, min(done + batch_size, num_images))
        try:
            predicted = predict(chosen)
        except torch.OutOfMemoryError:
            if batch_size == 1:
                raise
            batch_size //= 2
        else:
            done = chosen.stop
            yield predicted


def score(logits_NK: Tensor, labels_N: Tensor) -> Evaluation:
    """Score logits (or log-probabilities), NK, against labels, without label smoothing."""
    labels_N = labels_N.to(logits_NK.device)
    return evaluate(
        logits_NK.softmax(dim=1).float().cpu().numpy(),
        labels_N.cpu().numpy(),
        logits_NK.argmax(dim=1).cpu().numpy(),
        loss=nn.functional.cross_entropy(logits_NK, labels_N).item(),
    )
