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

    Maps are averaged over their pixels, tokens over their places. A layer that is given no row per
    image, as of windows of it, is passed over.

    Args:
        image_NCHW: An image that the network takes, to see which layers it calls.

    Returns:
        `None` where nothing lies between the images and the last layer: there are fewer than two
        layers before the classifier.
    """
    features: Any = model.features
    has_rows: list[bool] = []
    model.eval()
    with (
        torch.inference_mode(),
        _before_each_layer(model, lambda _, given: has_rows.append(len(given) == 2)),
    ):
        features(torch.cat([image_NCHW, image_NCHW]))  # two: what is given once is of no image
    calls = [number for number, has in enumerate(has_rows) if has]
    if len(calls) < 2:
        return None
    middle = calls[len(calls) // 2]

    def intermediate(images_NCHW: Tensor) -> Tensor:
        found: list[Tensor] = []
        count = iter(range(len(has_rows)))

        def keep(layer: nn.Module, given: Tensor) -> None:
            if next(count) == middle:
                found.append(_average(layer, given))  # a copy: later layers may write in place

        with _before_each_layer(model, keep):
            features(images_NCHW)
        return found[0]

    return intermediate


@contextmanager
def _before_each_layer(
    model: nn.Module, see: Callable[[nn.Module, Tensor], object]
) -> Iterator[None]:
    def hook(layer: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> None:
        see(layer, next(iter((*inputs, *named.values()))))

    handles = [
        module.register_forward_pre_hook(hook, with_kwargs=True)
        for module in model.modules()
        if _is_layer(module)
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _is_layer(module: nn.Module) -> bool:
    weight = getattr(module, "weight", None)
    return isinstance(weight, Tensor) and weight.ndim > 1


def _average(layer: Any, given: Tensor) -> Tensor:
    """Average what a layer is given, all but images and channels: these come second for a
    convolution, NCHW, and last for a dense layer, NTD or NHWC -> ND."""
    given = given.float()
    if given.ndim == 2:
        return given.clone()
    is_convolution = layer.weight.ndim == given.ndim
    places = range(2, given.ndim) if is_convolution else range(1, given.ndim - 1)
    return given.mean(dim=tuple(places))
