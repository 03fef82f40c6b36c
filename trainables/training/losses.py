"""The loss that networks are trained by: cross-entropy, of classes that may weigh differently."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


def balanced_weights(labels_N: Tensor, num_classes: int) -> Tensor:
    """Return the weights, K, by which all classes count the same: N / (K n_k) for the n_k of N
    images, as scikit-learn's `class_weight="balanced"`; 1 of a class that has no image.

    Their mean over the images is 1, so a weighted loss has the size of one without weights.
    """
    counts_K = torch.bincount(labels_N, minlength=num_classes).float()
    present_K = counts_K > 0
    weights_K = len(labels_N) / (present_K.sum() * counts_K)
    return torch.where(present_K, weights_K, 1.0)


def training_loss(
    logits_NK: Tensor, targets: Tensor, *, label_smoothing: float, weights_K: Tensor | None
) -> Tensor:
    """Return the mean loss of a batch of N images.

    It is a mean over images with weights too, where torch divides by the sum of the weights: parts
    of a batch then add up to the batch, and a rare class does not weigh less for being alone.

    Args:
        targets: Labels, N, or shares of mixed labels, NK.
        weights_K: Of the classes; `None`: they weigh the same.
    """
    if weights_K is None:
        return cross_entropy(logits_NK, targets, label_smoothing=label_smoothing)
    total = cross_entropy(
        logits_NK, targets, weights_K, reduction="sum", label_smoothing=label_smoothing
    )
    return total / len(targets)
