"""Change feature maps at random while training, by one draw per image; do nothing in eval mode.

These layers draw from torch's global generator, as dropout does.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

ROWS, COLUMNS = 2, 3
"""Dimensions of NCHW: a vertical flip reverses the rows, a horizontal one the columns."""


class RandomFlip(nn.Module):
    """Reverse `dim` of each image's maps with `probability`."""

    def __init__(self, probability: float, dim: int) -> None:
        super().__init__()
        self.probability = probability
        self.dim = dim

    def forward(self, maps_NCHW: Tensor) -> Tensor:
        if not self.training or self.probability == 0:
            return maps_NCHW
        draw = torch.rand(len(maps_NCHW), 1, 1, 1, device=maps_NCHW.device)
        return torch.where(draw < self.probability, maps_NCHW.flip(self.dim), maps_NCHW)

    def extra_repr(self) -> str:
        return f"probability={self.probability}, dim={self.dim}"


class RandomRotation(nn.Module):
    """Turn each image's maps by an angle drawn from [-degrees, degrees].

    Sampling is bilinear; maps are reflected at the border, as is Keras' default.
    """

    def __init__(self, degrees: float) -> None:
        super().__init__()
        self.degrees = degrees

    def forward(self, maps_NCHW: Tensor) -> Tensor:
        if not self.training or self.degrees == 0:
            return maps_NCHW
        n, _, height, width = maps_NCHW.shape
        draw = torch.rand(n, device=maps_NCHW.device)
        angle = (2 * draw - 1) * math.radians(self.degrees)
        cos, sin, zero = torch.cos(angle), torch.sin(angle), torch.zeros_like(angle)
        aspect = height / width
        turn = torch.stack([cos, -sin * aspect, zero, sin / aspect, cos, zero], dim=1)
        grid = F.affine_grid(turn.view(n, 2, 3), list(maps_NCHW.shape), align_corners=False)
        return F.grid_sample(maps_NCHW, grid, padding_mode="reflection", align_corners=False)

    def extra_repr(self) -> str:
        return f"degrees={self.degrees}"
