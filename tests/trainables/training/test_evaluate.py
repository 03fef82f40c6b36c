"""Figures against scikit-learn's."""

import math
from dataclasses import asdict
from statistics import fmean
from typing import cast

import numpy as np
import pytest
import torch
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    log_loss,
    recall_score,
    roc_auc_score,
)
from torch import Tensor, nn

from trainables.config import Runtime
from trainables.training.evaluate import BATCH_SIZE, predict_logits, score
from trainables.training.inputs import Inputs
from trainables.training.scores import Evaluation, evaluate, guess

CPU = Runtime(device="cpu")


class Echo(nn.Module):
    """Logits are the image's pixels: [1, K] images, K classes."""

    def forward(self, images_NCHW: Tensor) -> Tensor:
        return images_NCHW.flatten(1) * 8


class Rows:
    """Inputs that are there already, as images of one column."""

    def __init__(self, images_NK: Tensor) -> None:
        self.images_NK = images_NK

    def plain(self, chosen: Tensor) -> Tensor:
        return self.images_NK[chosen][:, None, :, None] / 255


def figures(images_NK: Tensor, labels_N: Tensor, indices: Tensor | None = None) -> Evaluation:
    chosen = torch.arange(len(labels_N)) if indices is None else indices
    inputs = cast("Inputs", Rows(images_NK))
    return score(predict_logits(Echo(), inputs, chosen, CPU), labels_N[chosen])


def guesses(count: int, classes: int, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Pixels that are right more often than not, and labels."""
    generator = torch.Generator().manual_seed(seed)
    labels_N = torch.randint(classes, (count,), generator=generator)
    images_NK = torch.randint(256, (count, classes), generator=generator, dtype=torch.uint8)
    right = torch.rand(count, generator=generator) < 0.5
    images_NK[right, labels_N[right]] = 255
    return images_NK, labels_N


def check(found: Evaluation, images_NK: Tensor, labels_N: Tensor) -> None:
    probabilities_NK = (images_NK.double() / 255 * 8).softmax(dim=1).numpy()
    predicted_N = images_NK.int().argmax(dim=1).numpy()
    labels = range(images_NK.shape[1])
    assert found.loss == pytest.approx(
        log_loss(labels_N.numpy(), probabilities_NK, labels=labels), rel=1e-5
    )
    assert found.accuracy == pytest.approx(accuracy_score(labels_N.numpy(), predicted_N), rel=1e-6)
    assert found.macro_f1 == pytest.approx(
        f1_score(labels_N.numpy(), predicted_N, average="macro"), rel=1e-12
    )
    present = np.unique(labels_N)  # `balanced_accuracy_score` warns where others are predicted
    recall = recall_score(labels_N.numpy(), predicted_N, labels=present, average="macro")
    assert found.balanced_accuracy == pytest.approx(recall, rel=1e-12)
    float32_NK = (images_NK / 255 * 8).softmax(dim=1).numpy()
    areas = [roc_auc_score(labels_N == k, float32_NK[:, k]) for k in present if len(present) > 1]
    assert found.auroc == (pytest.approx(fmean(areas), rel=1e-9) if areas else None)


@pytest.mark.parametrize("count", [1, 30, BATCH_SIZE, BATCH_SIZE + 1, 3 * BATCH_SIZE - 5])
@pytest.mark.parametrize("classes", [2, 7])
def test_figures_are_scikit_learns(count: int, classes: int) -> None:
    images_NK, labels_N = guesses(count, classes)
    check(figures(images_NK, labels_N), images_NK, labels_N)


def test_a_class_that_never_occurs_but_is_predicted() -> None:
    images_NK, labels_N = guesses(200, 5)
    labels_N[labels_N == 3] = 0
    check(figures(images_NK, labels_N), images_NK, labels_N)


def test_a_class_that_occurs_but_is_never_predicted() -> None:
    images_NK, labels_N = guesses(200, 5)
    images_NK[:, 3] = 0
    check(figures(images_NK, labels_N), images_NK, labels_N)


def test_a_class_that_neither_occurs_nor_is_predicted_does_not_count() -> None:
    images_NK, labels_N = guesses(200, 5)
    labels_N[labels_N == 3] = 0
    images_NK[:, 3] = 0
    check(figures(images_NK, labels_N), images_NK, labels_N)


def test_only_the_named_images_count() -> None:
    images_NK, labels_N = guesses(100, 4)
    chosen = torch.tensor([3, 50, 99])
    check(figures(images_NK, labels_N, chosen), images_NK[chosen], labels_N[chosen])


def test_accuracy_is_the_exact_fraction() -> None:
    labels_N = torch.tensor([0, 0, 0])
    images_NK = torch.tensor([[9, 0], [0, 9], [0, 9]], dtype=torch.uint8)
    assert figures(images_NK, labels_N).accuracy == 1 / 3


def test_logits_that_are_not_finite_give_figures_that_say_so() -> None:
    found = score(torch.full((2, 2), float("nan")), torch.tensor([0, 1]))
    assert math.isnan(found.loss)
    assert 0 <= found.accuracy <= 1


def test_with_all_classes_they_are_the_names_that_scikit_learn_has() -> None:
    images_NK, labels_N = guesses(300, 5)
    found = figures(images_NK, labels_N)
    predicted_N = images_NK.int().argmax(dim=1).numpy()
    assert found.balanced_accuracy == pytest.approx(balanced_accuracy_score(labels_N, predicted_N))
    float32_NK = (images_NK / 255 * 8).softmax(dim=1).numpy()
    assert found.auroc == pytest.approx(roc_auc_score(labels_N, float32_NK, multi_class="ovr"))


def test_the_auroc_of_two_classes_is_the_one_of_either() -> None:
    images_NK, labels_N = guesses(200, 2)
    float32_NK = (images_NK / 255 * 8).softmax(dim=1).numpy()
    expected = roc_auc_score(labels_N, float32_NK[:, 1])
    assert figures(images_NK, labels_N).auroc == pytest.approx(expected, rel=1e-3)


def test_ties_are_half_right_and_one_class_alone_has_no_auroc() -> None:
    labels_N = torch.tensor([0, 1, 1, 2])
    assert score(torch.zeros(4, 3), labels_N).auroc == 0.5
    assert score(torch.zeros(4, 3), torch.zeros(4, dtype=torch.int64)).auroc is None


def test_a_guess_gives_all_images_the_shares_of_the_classes_in_train() -> None:
    labels_N = np.array([0, 0, 1, 2, 1])
    same_NK = np.tile([0.2, 0.6, 0.2], (5, 1))
    expected = evaluate(same_NK, labels_N, same_NK.argmax(axis=1), log_loss(labels_N, same_NK))
    found = guess(np.array([1, 0, 1, 1, 2]), labels_N, 3)
    assert asdict(found) == pytest.approx(asdict(expected))
