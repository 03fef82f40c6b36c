"""What a model says of a set of images, never augmented."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trainables.augment import Normalisation
from trainables.config import Runtime
from trainables.device import autocast, memory_format

BATCH_SIZE = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """Mean cross-entropy, accuracy and macro-averaged F1, both fractions in [0, 1]."""

    loss: float
    accuracy: float
    macro_f1: float


@torch.inference_mode()
def evaluate(
    model: nn.Module,
    images_NHWC: Tensor,
    labels_N: Tensor,
    indices: Tensor,
    *,
    normalisation: Normalisation,
    runtime: Runtime,
) -> Evaluation:
    """Evaluate `model` on the images that `indices` name, in batches, without label smoothing."""
    model.eval()
    logits, labels = [], []
    for chosen in torch.split(indices, BATCH_SIZE):
        batch = images_NHWC[chosen].to(runtime.device, non_blocking=True)
        with autocast(runtime):
            logits.append(model(normalisation(batch, memory_format(runtime))).float())
        labels.append(labels_N[chosen].to(runtime.device, non_blocking=True))
    logits_NK, labels_N = torch.cat(logits), torch.cat(labels)
    predicted_N = logits_NK.argmax(dim=1)
    return Evaluation(
        loss=nn.functional.cross_entropy(logits_NK, labels_N).item(),
        accuracy=(predicted_N == labels_N).sum().item() / len(labels_N),
        macro_f1=_macro_f1(predicted_N, labels_N, logits_NK.shape[1]),
    )


def _macro_f1(predicted_N: Tensor, labels_N: Tensor, num_classes: int) -> float:
    """Mean over classes of 2 TP / (2 TP + FP + FN), as scikit-learn's `f1_score(average="macro")`.

    Written out because importing scikit-learn costs a worker seconds. Classes that are neither
    present nor predicted do not count, as there.
    """
    pairs = torch.bincount(labels_N * num_classes + predicted_N, minlength=num_classes**2)
    confusion_KK = pairs.view(num_classes, num_classes).double()
    either = confusion_KK.sum(0) + confusion_KK.sum(1)
    f1_K = 2 * confusion_KK.diagonal() / either
    return f1_K[either > 0].mean().item()
