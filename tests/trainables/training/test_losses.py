"""Classes that weigh differently in the loss."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch.nn.functional import cross_entropy, one_hot

from trainables.config import Runtime
from trainables.datasets import ImageData
from trainables.training.fit import build_training, fit
from trainables.training.losses import balanced_weights, training_loss

MakeData = Callable[..., ImageData]

LABELS_N = torch.tensor([0] * 20 + [1] * 3 + [2])


def test_balanced_weights_are_scikit_learns() -> None:
    expected = compute_class_weight("balanced", classes=np.arange(3), y=LABELS_N.numpy())
    assert balanced_weights(LABELS_N, 3).tolist() == pytest.approx(expected.tolist())


def test_a_class_without_an_image_counts_for_nothing() -> None:
    weights_K = balanced_weights(LABELS_N, 5)
    assert weights_K[:3].tolist() == pytest.approx(balanced_weights(LABELS_N, 3).tolist())
    assert weights_K[3:].tolist() == [1, 1]


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("mixed", [False, True])
def test_parts_of_a_batch_add_up_to_it(smoothing: float, mixed: bool) -> None:
    logits_NK = torch.randn(24, 3, generator=torch.Generator().manual_seed(0))
    targets = one_hot(LABELS_N, 3).float() if mixed else LABELS_N
    weights_K = balanced_weights(LABELS_N, 3)

    def loss(chosen: slice) -> torch.Tensor:
        return training_loss(
            logits_NK[chosen], targets[chosen], label_smoothing=smoothing, weights_K=weights_K
        )

    parts = (5 * loss(slice(0, 5)) + 19 * loss(slice(5, 24))) / 24
    assert parts.item() == pytest.approx(loss(slice(0, 24)).item(), rel=1e-5)


def test_with_balanced_weights_each_class_has_the_same_part_of_the_loss() -> None:
    logits_NK = torch.randn(24, 3, generator=torch.Generator().manual_seed(0))
    found = training_loss(
        logits_NK, LABELS_N, label_smoothing=0.0, weights_K=balanced_weights(LABELS_N, 3)
    )
    means = [cross_entropy(logits_NK[k == LABELS_N], LABELS_N[k == LABELS_N]) for k in range(3)]
    assert found.item() == pytest.approx(torch.stack(means).mean().item(), rel=1e-5)


def test_equal_weights_are_none() -> None:
    logits_NK = torch.randn(24, 3, generator=torch.Generator().manual_seed(0))
    alike, none = (
        training_loss(logits_NK, LABELS_N, label_smoothing=0.1, weights_K=weights_K)
        for weights_K in (torch.ones(3), None)
    )
    assert alike.item() == pytest.approx(none.item(), rel=1e-6)


def test_a_network_is_trained_by_them(make_data: MakeData) -> None:
    """On labels that no image tells, it says the classes' shares, or with weights equal ones."""
    data = make_data()
    labels_N = np.zeros_like(data.labels_N)
    labels_N[::8] = 1
    shades_N = np.arange(len(labels_N), dtype=np.uint8) // 8 % 2
    images_NHWC = np.broadcast_to(shades_N[:, None, None, None], data.images_NHWC.shape).copy()
    blank = replace(data, images_NHWC=images_NHWC, labels_N=labels_N, fingerprint="shades")
    said = {}
    for weights in ("none", "balanced"):
        flat: dict[str, Any] = {"architecture": "linear", "epochs": 30, "batch_size": 16}
        flat |= {"lr": 0.05, "class_weights": weights}
        training = build_training(flat, blank, Runtime(device="cpu"), seed=0)
        list(fit(training))
        logits_NK = training.predict_logits(training.inputs.placed.validation)
        said[weights] = logits_NK.softmax(dim=1)[:, 1].mean().item()
    share = float(labels_N[data.train_indices].mean())
    assert said["none"] == pytest.approx(share, abs=0.05)
    assert said["balanced"] == pytest.approx(0.5, abs=0.1)
