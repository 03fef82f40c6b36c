"""Mix each image of a batch with the one before it, and their labels by as much."""

import torch
import torch.nn.functional as F
from torch import Tensor

from trainables.image_ops.boxes import cutmix_boxes


def mix(
    images_NCHW: Tensor,
    labels_N: Tensor,
    generator: torch.Generator,
    *,
    num_classes: int,
    mixup_alpha: float,
    cutmix_alpha: float,
) -> tuple[Tensor, Tensor]:
    """Mix pairs of images by mixup or cutmix, with a draw for each image -> images, targets NK.

    An image keeps the larger of two shares drawn from Beta(alpha, alpha). Mixup (Zhang et al. 2017,
    https://arxiv.org/abs/1710.09412) adds the rest of the image before it, pixel by pixel; cutmix
    (Yun et al. 2019, https://arxiv.org/abs/1905.04899) takes a rectangle from there. With both,
    each image draws which. Batches are shuffled, so that the image before is any image; the only
    image of a batch is mixed with itself.

    The papers draw one share for a batch, so that each image is in it as much as the others. With a
    share for each image, one that kept little could be missing: alpha near 0 would leave out a
    quarter of the images. The larger share keeps all of them, and the pairs of mixup, whose order
    does not matter, are distributed as before.

    Args:
        images_NCHW: Float, of any normalisation.
        generator: The source of all draws, on any device.
        num_classes: K.
        mixup_alpha, cutmix_alpha: 0 does without; one of them is above 0.

    Returns:
        The mixed images, and float32 targets: the share of each class, which sum to 1. A target
        says what is in the image, so that of cutmix is the area.
    """
    kept_NHW = _draw_kept(
        images_NCHW, generator, mixup_alpha=mixup_alpha, cutmix_alpha=cutmix_alpha
    ).to(images_NCHW.device)
    targets_NK = F.one_hot(labels_N, num_classes).to(torch.float32)
    mixed_NCHW = torch.lerp(_before(images_NCHW), images_NCHW, kept_NHW[:, None])
    kept_N = kept_NHW.mean((1, 2))
    return mixed_NCHW, torch.lerp(_before(targets_NK), targets_NK, kept_N[:, None])


def _draw_kept(
    images_NCHW: Tensor, generator: torch.Generator, *, mixup_alpha: float, cutmix_alpha: float
) -> Tensor:
    """Draw the share that each pixel keeps of its own image: (N, H, W), or (N, 1, 1)."""
    n, _, height, width = images_NCHW.shape
    if not cutmix_alpha:
        return _larger_share(mixup_alpha, n, generator)[:, None, None]
    taken_NHW = cutmix_boxes(
        1 - _larger_share(cutmix_alpha, n, generator), height, width, generator
    )
    cut_NHW = 1 - taken_NHW.to(torch.float32)
    if not mixup_alpha:
        return cut_NHW
    cuts_N = torch.rand(n, device=generator.device, generator=generator) < 0.5
    blended_N11 = _larger_share(mixup_alpha, n, generator)[:, None, None]
    return torch.where(cuts_N[:, None, None], cut_NHW, blended_N11)


def _larger_share(alpha: float, n: int, generator: torch.Generator) -> Tensor:
    """Draw x from Beta(alpha, alpha) -> the larger of x and 1 - x, N.

    `torch.distributions.Beta` takes no generator. x is the share of one of two draws of
    Gamma(alpha), by their logarithms, where small alphas do not underflow: Gamma(alpha) is
    Gamma(alpha + 1) times the alpha-th root of a uniform draw.
    """
    gamma_2N = torch._standard_gamma(
        torch.full((2, n), alpha + 1, device=generator.device), generator
    )
    minus_log_uniform_2N = torch.empty_like(gamma_2N).exponential_(generator=generator)
    log_2N = gamma_2N.log() - minus_log_uniform_2N / alpha
    return torch.sigmoid((log_2N[0] - log_2N[1]).abs())


def _before(batch: Tensor) -> Tensor:
    """Return the batch shifted by one; `roll` would forget channels_last on a GPU."""
    return torch.cat([batch[-1:], batch[:-1]])
