"""Optimizers are entries of a table, from which the rule of `TrialConfig.optimizer` is read.

A builder imports torch when it is called, since a configuration is parsed without torch.
"""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from torch.optim.optimizer import ParamsT


class BuildOptimizer(Protocol):
    """A function that builds an optimizer over a model's parameters from a configuration's knobs.

    The parameters may be in groups, each with a rate of its own. `l2` is torch's `weight_decay`. A
    builder ignores a knob that its method does not have.
    """

    def __call__(
        self, parameters: "ParamsT", *, lr: float, l2: float, momentum: float
    ) -> "Optimizer": ...


def _sgd(parameters: "ParamsT", *, lr: float, l2: float, momentum: float) -> "Optimizer":
    """Build SGD with Polyak's momentum, where `l2` is added to the gradient."""
    from torch.optim import SGD

    optimizer = SGD(parameters, lr=lr, momentum=momentum, weight_decay=l2, fused=True)
    optimizer.register_step_pre_hook(_begin_momentum)
    return optimizer


def _begin_momentum(optimizer: "Optimizer", *_: object) -> None:
    """Give parameters that begin to train after others of their group (`head_epochs`) a momentum
    of zero, as which torch takes none; its fused SGD fails where some have none."""
    from torch import zeros_like

    for group in optimizer.param_groups:
        trained = [parameter for parameter in group["params"] if parameter.grad is not None]
        new = [p for p in trained if optimizer.state.get(p, {}).get("momentum_buffer") is None]
        if group["momentum"] and 0 < len(new) < len(trained):
            for parameter in new:
                optimizer.state[parameter]["momentum_buffer"] = zeros_like(parameter)


def _adam(parameters: "ParamsT", *, lr: float, l2: float, momentum: float) -> "Optimizer":
    """Build Adam (Kingma & Ba 2015), where `l2` is added to the gradient."""
    from torch.optim import Adam

    return Adam(parameters, lr=lr, weight_decay=l2, fused=True)


def _adamw(parameters: "ParamsT", *, lr: float, l2: float, momentum: float) -> "Optimizer":
    """Build Adam with decoupled weight decay (Loshchilov & Hutter 2019)."""
    from torch.optim import AdamW

    return AdamW(parameters, lr=lr, weight_decay=l2, fused=True)


OPTIMIZERS: dict[str, BuildOptimizer] = {"sgd": _sgd, "adam": _adam, "adamw": _adamw}
"""The builder of each optimizer, by the name that `TrialConfig.optimizer` gives it."""
