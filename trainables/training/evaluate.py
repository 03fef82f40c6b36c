"""Predict a set of images, which are never augmented, and score the predictions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trainables.config import Runtime
from trainables.training.device import autocast
from trainables.training.inputs import Inputs

BATCH_SIZE = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """Holds mean cross-entropy in nats, and accuracy and macro-averaged F1, both in [0, 1]."""

    loss: float
    accuracy: float
    macro_f1: float


@torch.inference_mode()
def predict_logits(
    model: nn.Module,
    inputs: Inputs,
    indices: Tensor,
    runtime: Runtime,
    function: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """Predict float32 logits, NK, of the images that `indices` name, in batches that fit in memory.

    Args:
        function: A part of the model, which is called in place of the whole.
    """
    model.eval()
    part = function or model

    def predict(chosen: slice) -> Tensor:
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
    predicted_N = logits_NK.argmax(dim=1)
    return Evaluation(
        loss=nn.functional.cross_entropy(logits_NK, labels_N).item(),
        accuracy=(predicted_N == labels_N).sum().item() / len(labels_N),
        macro_f1=_macro_f1(predicted_N, labels_N, logits_NK.shape[1]),
    )


def _macro_f1(predicted_N: Tensor, labels_N: Tensor, num_classes: int) -> float:
    """Average 2 TP / (2 TP + FP + FN) over classes, as scikit-learn's `f1_score(average="macro")`.

    It is written out because importing scikit-learn costs a worker seconds. Classes that are
    neither present nor predicted do not count, as there.
    """
    pairs = torch.bincount(labels_N * num_classes + predicted_N, minlength=num_classes**2)
    confusion_KK = pairs.view(num_classes, num_classes).double()
    either = confusion_KK.sum(0) + confusion_KK.sum(1)
    f1_K = 2 * confusion_KK.diagonal() / either
    return f1_K[either > 0].mean().item()
