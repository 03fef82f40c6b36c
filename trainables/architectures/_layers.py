"""Build the parts that several architectures share: activations, and widths of their layers."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from torch import nn

ActivationName = Literal["relu", "leaky_relu", "elu", "gelu", "silu", "tanh"]

MONOTONE = ("relu", "leaky_relu", "elu", "tanh")
"""Activations that commute with a maximum, so that pooling may come first: it leaves them fewer
pixels."""


TaperName = Literal["none", "half", "quarter", "quarter_half"]
TAPERS = {"half": (2,), "quarter": (4,), "quarter_half": (4, 2)}


def tapered(width: int, num_classes: int, taper: TaperName) -> tuple[int, ...]:
    """Return the widths of layers that shrink from `width`, the last one above `num_classes`.

    Each layer has a half or a quarter of the width before it; `quarter_half` alternates.

    >>> tapered(3072, 10, "quarter")
    (768, 192, 48, 12)
    """
    divisors = TAPERS[taper]
    widths: list[int] = []
    while (width := width // divisors[len(widths) % len(divisors)]) > num_classes:
        widths.append(width)
    return tuple(widths)


def scaled(filters: int, width: float) -> int:
    """Return `filters` times a width multiplier, at least one."""
    return max(1, round(filters * width))


def build_dense(widths: Sequence[int], activation: ActivationName, dropout: float) -> nn.Sequential:
    """Build dense layers between these widths, an activation behind each; at the end batch norm and
    dropout."""
    layers: list[nn.Module] = []
    for size, out in pairwise(widths):
        layers += [nn.Linear(size, out), build_activation(activation)]
    return nn.Sequential(*layers, nn.BatchNorm1d(widths[-1]), nn.Dropout(dropout))


def build_activation(name: ActivationName) -> nn.Module:
    match name:
        case "relu":
            return nn.ReLU(inplace=True)
        case "leaky_relu":
            return nn.LeakyReLU(inplace=True)
        case "elu":
            return nn.ELU(inplace=True)
        case "gelu":
            return nn.GELU()
        case "silu":
            return nn.SiLU(inplace=True)
        case "tanh":
            return nn.Tanh()
