"""Find what a network makes of an image half-way, whatever it is built of.

Its layers are the modules with weights (convolutions, dense layers; no norms), in the order in
which `features` calls them. The intermediate layer is what the middle one of them is given, as the
last layer is what the classifier is given.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


def find_intermediate(model: nn.Module, image_NCHW: Tensor) -> Callable[[Tensor], Tensor] | None:
    """Find the function from images, NCHW, to what the middle layer is given, ND.

    Maps are averaged over their pixels, tokens over their places.

    Args:
        image_NCHW: An image that the network takes, to see which layers it calls.

    Returns:
        `None` where nothing lies between the images and the last layer: there are fewer than two
        layers before the classifier.
    """
    features: Any = model.features
    calls: list[None] = []
    model.eval()
    with torch.inference_mode(), _before_each_layer(model, lambda _: calls.append(None)):
        features(image_NCHW)
    middle = len(calls) // 2
    if middle == 0:
        return None

    def intermediate(images_NCHW: Tensor) -> Tensor:
        found: list[Tensor] = []
        count = iter(range(len(calls)))

        def keep(given: Tensor) -> None:
            if next(count) == middle:
                found.append(_average(given))  # a copy: later layers may write in place

        with _before_each_layer(model, keep):
            features(images_NCHW)
        return found[0]

    return intermediate


@contextmanager
def _before_each_layer(model: nn.Module, see: Callable[[Tensor], object]) -> Iterator[None]:
    def hook(_module: nn.Module, inputs: tuple[Any, ...]) -> None:
        see(inputs[0])

    handles = [
        module.register_forward_pre_hook(hook) for module in model.modules() if _is_layer(module)
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _is_layer(module: nn.Module) -> bool:
    weight = getattr(module, "weight", None)
    return isinstance(weight, Tensor) and weight.ndim > 1


def _average(given: Tensor) -> Tensor:
    """Average maps, NCHW, or tokens, NTD -> ND."""
    match given.ndim:
        case 4:
            return given.float().mean(dim=(2, 3))
        case 3:
            return given.float().mean(dim=1)
    return given.float().flatten(1).clone()
