"""Fine-tune layers by their depth: the head first, then those near the image more slowly."""

import math
from itertools import groupby
from typing import Any

from torch import nn
from torch.optim.optimizer import ParamsT

from trainables.architectures._backbone import OWN_LAYERS
from trainables.config import TrialConfig

MOST_GROUPS = 12
"""Neighbours share their rate below the head: an optimizer steps group by group."""


def group_parameters(model: nn.Module, config: TrialConfig) -> ParamsT:
    """Group the parameters by their learning rate, the head's first.

    The rates fall geometrically from the head to the image (discriminative fine-tuning, Howard &
    Ruder 2018, arXiv 1801.06146; with a factor per block it is the layer-wise decay of Bao et al.
    2022, arXiv 2106.08254). Depth is the order in which a model makes its layers.

    Returns:
        The parameters without groups where all have the same rate.
    """
    if config.first_layer_lr == 1:
        return model.parameters()
    groups: dict[int, list[nn.Parameter]] = {0: []}
    below = _below_head(model)
    num_groups = max(1, min(MOST_GROUPS, len(below)))
    for number, parameters in enumerate(reversed(below)):
        groups.setdefault(1 + number * num_groups // len(below), []).extend(parameters)
    inside = {id(parameter) for layer in below for parameter in layer}
    groups[0] = [parameter for parameter in model.parameters() if id(parameter) not in inside]
    return [_group(parameters, config, depth / num_groups) for depth, parameters in groups.items()]


def train_layers(model: nn.Module, *, all_of_them: bool) -> bool:
    """Train all layers, or the head alone; return whether that changes anything."""
    parameters = [parameter for layer in _below_head(model) for parameter in layer]
    changed = [p for p in parameters if p.requires_grad != all_of_them]
    for parameter in changed:
        parameter.requires_grad_(all_of_them)
    return bool(changed)


def _group(parameters: list[nn.Parameter], config: TrialConfig, depth: float) -> dict[str, Any]:
    """Build a group at a depth between the head's, 0, and the first layer's, 1."""
    return {"params": parameters, "lr": config.lr * math.pow(config.first_layer_lr, depth)}


def _below_head(model: nn.Module) -> list[list[nn.Parameter]]:
    """List the layers below the head, in the order in which they are made: each the parameters that
    one module holds itself, but for those that a layer before it has too."""
    named = ((n, p) for n, p in model.named_parameters() if not n.startswith(OWN_LAYERS))
    by_layer = groupby(named, key=lambda pair: pair[0].rpartition(".")[0])
    return [[parameter for _, parameter in layer] for _, layer in by_layer]
