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

    An image keeps a share drawn from Beta(alpha, alpha). Mixup (Zhang et al. 2017,
    https://arxiv.org/abs/1710.09412) adds the rest of the image before it, pixel by pixel; cutmix
    (Yun et al. 2019, https://arxiv.org/abs/1905.04899) takes a rectangle from there. With both,
    each image draws which. Batches are shuffled, so that the image before is any image; the only
    image of a batch is mixed with itself.

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
    device = generator.device

    def beta(alpha: float) -> Tensor:
        # `torch.distributions.Beta` draws by this too, but takes no generator.
        both_N2 = torch.full((n, 2), alpha, device=device)
        return torch._sample_dirichlet(both_N2, generator)[:, 0]

    if not cutmix_alpha:
        return beta(mixup_alpha)[:, None, None]
    taken_NHW = cutmix_boxes(1 - beta(cutmix_alpha), height, width, generator)
    cut_NHW = 1 - taken_NHW.to(torch.float32)
    if not mixup_alpha:
        return cut_NHW
    cuts_N = torch.rand(n, device=device, generator=generator) < 0.5
    return torch.where(cuts_N[:, None, None], cut_NHW, beta(mixup_alpha)[:, None, None])


def _before(batch: Tensor) -> Tensor:
    """Return the batch shifted by one; `roll` would forget channels_last on a GPU."""
    return torch.cat([batch[-1:], batch[:-1]])
