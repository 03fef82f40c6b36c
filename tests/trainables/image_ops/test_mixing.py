"""Mixup and cutmix: what becomes of images and labels."""

from typing import Any

import pytest
import torch
from scipy.stats import beta, kstest
from torch import Tensor

from trainables.image_ops.mixing import mix

K = 3


def mixed(
    images_NCHW: Tensor, labels_N: Tensor, *, mixup: float = 0.0, cutmix: float = 0.0
) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return mix(
        images_NCHW, labels_N, generator, num_classes=K, mixup_alpha=mixup, cutmix_alpha=cutmix
    )


def batch(n: int = 200, channels: int = 3) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    images_NCHW = torch.randn(n, channels, 12, 16, generator=generator)
    # Labels differ from image to image, so that a target tells the share of its own.
    return images_NCHW.to(memory_format=torch.channels_last), torch.arange(n) % 2


def test_a_small_alpha_changes_next_to_nothing() -> None:
    """Draws from Gamma(alpha) themselves would underflow, and halves come out."""
    _, targets_NK = mixed(*batch(1000), mixup=1e-3)
    own_N = targets_NK[torch.arange(1000), torch.arange(1000) % 2]
    assert (own_N > 0.99).float().mean() > 0.97


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_mixup_is_the_papers_with_a_share_for_each_image(alpha: float) -> None:
    images_NCHW, labels_N = batch(1000)

    def cdf_of_the_larger(y: Any) -> Any:
        """Of x and 1 - x, where x is from Beta(alpha, alpha)."""
        return 2 * beta(alpha, alpha).cdf(y) - 1

    result_NCHW, targets_NK = mixed(images_NCHW, labels_N, mixup=alpha)
    own_N = targets_NK.gather(1, labels_N[:, None])[:, 0]
    assert kstest(own_N.numpy(), cdf_of_the_larger).pvalue > 0.01
    for n, own in enumerate(own_N.tolist()):
        wanted = own * images_NCHW[n] + (1 - own) * images_NCHW[n - 1]
        torch.testing.assert_close(result_NCHW[n], wanted, rtol=1e-4, atol=1e-5)


def test_cutmix_takes_a_rectangle_and_as_much_of_the_label() -> None:
    images_NCHW, labels_N = batch()
    result_NCHW, targets_NK = mixed(images_NCHW, labels_N, cutmix=1.0)
    own_NHW = (result_NCHW == images_NCHW).all(1)
    other_NHW = (result_NCHW == images_NCHW.roll(1, 0)).all(1)
    assert (own_NHW ^ other_NHW).all(), "a pixel is of neither image"
    share_N = own_NHW.float().mean((1, 2))
    torch.testing.assert_close(targets_NK.gather(1, labels_N[:, None])[:, 0], share_N)
    assert share_N.min() > 0.45, "an image keeps the larger part, but for rounding"
    assert len(set(share_N.tolist())) > 20, "images share a draw"


def test_with_both_each_image_draws_which() -> None:
    images_NCHW, labels_N = batch(1000)
    result_NCHW, _ = mixed(images_NCHW, labels_N, mixup=1.0, cutmix=1.0)
    own = (result_NCHW == images_NCHW).all(1)
    other = (result_NCHW == images_NCHW.roll(1, 0)).all(1)
    cut_N = (own | other).flatten(1).all(1)
    assert cut_N.float().mean().item() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("knobs", [{"mixup": 0.4}, {"cutmix": 1.0}, {"mixup": 1.0, "cutmix": 1.0}])
def test_targets_are_shares_and_what_was_given_stays(knobs: dict[str, float]) -> None:
    images_NCHW, labels_N = batch(channels=1)
    before = images_NCHW.clone(), labels_N.clone()
    result_NCHW, targets_NK = mixed(images_NCHW, labels_N, **knobs)
    assert torch.equal(images_NCHW, before[0])
    assert torch.equal(labels_N, before[1])
    assert result_NCHW.shape == images_NCHW.shape
    assert result_NCHW.is_contiguous(memory_format=torch.channels_last)
    assert targets_NK.shape == (len(labels_N), K)
    assert (targets_NK >= 0).all()
    torch.testing.assert_close(targets_NK.sum(1), torch.ones(len(labels_N)))


@pytest.mark.parametrize("knobs", [{"mixup": 0.4}, {"cutmix": 1.0}])
def test_the_only_image_of_a_batch_stays(knobs: dict[str, float]) -> None:
    images_NCHW, labels_N = batch(1)
    result_NCHW, targets_NK = mixed(images_NCHW, labels_N, **knobs)
    torch.testing.assert_close(result_NCHW, images_NCHW)
    torch.testing.assert_close(targets_NK, torch.tensor([[1.0, 0.0, 0.0]]))
