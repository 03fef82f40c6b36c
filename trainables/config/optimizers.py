"""Optimizers by name; a builder imports torch itself, since a configuration is parsed without it.

An entry is all that an optimizer needs: what `TrialConfig.optimizer` may name is read from here.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer


class BuildOptimizer(Protocol):
    """A function that builds an optimizer over a model's parameters from a configuration's knobs.

    `l2` is torch's `weight_decay`. A builder ignores a knob that its method does not have.
    """

    def __call__(
        self, parameters: "Iterable[nn.Parameter]", *, lr: float, l2: float, momentum: float
    ) -> "Optimizer": ...


def _sgd(
    parameters: "Iterable[nn.Parameter]", *, lr: float, l2: float, momentum: float
) -> "Optimizer":
    """SGD with Polyak's momentum; `l2` is added to the gradient."""
    from torch.optim import SGD

    return SGD(parameters, lr=lr, momentum=momentum, weight_decay=l2, fused=True)


def _adam(
    parameters: "Iterable[nn.Parameter]", *, lr: float, l2: float, momentum: float
) -> "Optimizer":
    """Adam (Kingma & Ba 2015); `l2` is added to the gradient."""
    from torch.optim import Adam

    return Adam(parameters, lr=lr, weight_decay=l2, fused=True)


def _adamw(
    parameters: "Iterable[nn.Parameter]", *, lr: float, l2: float, momentum: float
) -> "Optimizer":
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019)."""
    from torch.optim import AdamW

    return AdamW(parameters, lr=lr, weight_decay=l2, fused=True)


OPTIMIZERS: dict[str, BuildOptimizer] = {"sgd": _sgd, "adam": _adam, "adamw": _adamw}
"""What each value of `TrialConfig.optimizer` builds."""
