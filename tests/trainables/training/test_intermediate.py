"""The middle layer of a network, found without knowing what the network is."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from trainables.architectures import find_architecture
from trainables.config import parse_trial
from trainables.registry import default_of, names_in
from trainables.training.intermediate import find_intermediate

NAMES = names_in("architectures")
WITHOUT = {"linear"}


def build(name: str, **changes: object) -> tuple[nn.Module, Tensor]:
    architecture = find_architecture(name)
    side = 32 if ":" in name else max(16, architecture.minimum_pixels)
    _, own = parse_trial({**default_of(name, 1), **changes}, architecture.Config)
    torch.manual_seed(0)
    model = architecture.build(own, in_channels=3, image_size=(side, side), num_classes=4).eval()
    return model, torch.randn(6, 3, side, side)


@pytest.mark.parametrize("name", NAMES)
def test_every_network_of_two_layers_has_one_between(name: str) -> None:
    model, images_NCHW = build(name)
    function = find_intermediate(model, images_NCHW[:1])
    assert (function is None) == (name in WITHOUT)
    if function is None:
        return
    with torch.inference_mode():
        found_ND = function(images_NCHW)
        last_ND = model.features(images_NCHW)  # type: ignore[operator]
        one_by_one = torch.cat([function(image[None]) for image in images_NCHW])
    assert found_ND.ndim == 2
    assert len(found_ND) == 6
    assert found_ND.isfinite().all()
    assert (torch.pdist(found_ND) > 0).all()  # it tells images apart
    assert found_ND.shape != last_ND.shape or not torch.equal(found_ND, last_ND)
    torch.testing.assert_close(one_by_one, found_ND, rtol=1e-3, atol=1e-4)
    assert not any(module._forward_pre_hooks for module in model.modules())


def test_it_is_what_the_middle_convolution_is_given() -> None:
    model: Any
    model, images_NCHW = build("cnn", filters=[8, 16, 24], dense=[])
    function = find_intermediate(model, images_NCHW[:1])
    assert function is not None
    with torch.inference_mode():
        first_block = model.blocks[:4](images_NCHW)
        assert isinstance(model.blocks[4], nn.Conv2d)
        expected = first_block.mean(dim=(2, 3))
        torch.testing.assert_close(function(images_NCHW), expected)


def test_of_dense_layers_it_is_the_vector_itself() -> None:
    model: Any
    model, images_NCHW = build("mlp", hidden=[12, 7])
    function = find_intermediate(model, images_NCHW[:1])
    assert function is not None
    with torch.inference_mode():
        second = next(i for i, m in enumerate(model.hidden) if i and isinstance(m, nn.Linear))
        expected = model.hidden[:second](images_NCHW.flatten(1))
        torch.testing.assert_close(function(images_NCHW), expected)


class Tokens(nn.Module):
    """Images as a token per row, as a transformer has them; one layer is called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3 * 8, 5)
        self.twice = nn.Linear(5, 5)

    def features(self, images_NCHW: Tensor) -> Tensor:
        tokens_NTD = images_NCHW.permute(0, 2, 1, 3).flatten(2)
        second_NTD: Tensor = self.twice(self.twice(self.first(tokens_NTD)).relu_())
        return second_NTD.mean(dim=1)


class Windows(nn.Module):
    """Maps with channels last, as ConvNeXt's and Swin's are; one layer sees windows of images, and
    one a table that no image changes, as Swin's do; one is called by name."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 5, 1)
        self.wide = nn.Linear(5, 7)
        self.windows = nn.Linear(7, 7)
        self.table = nn.Linear(2, 7)
        self.last = nn.Linear(7, 6)

    def features(self, images_NCHW: Tensor) -> Tensor:
        maps_NHWC = self.wide(input=self.first(images_NCHW).permute(0, 2, 3, 1))
        num_images = len(maps_NHWC)
        windows = self.windows(maps_NHWC.reshape(num_images * 2, -1, 7))
        table = self.table(torch.ones(1, 4, 4, 2)).mean()
        last_NHWC: Tensor = self.last(windows.reshape(maps_NHWC.shape) + table)
        return last_NHWC.mean(dim=(1, 2))


def test_channels_that_come_last_are_kept_and_windows_passed_over() -> None:
    model = Windows()
    images_NCHW = torch.randn(4, 3, 8, 8)
    function = find_intermediate(model, images_NCHW[:1])
    assert function is not None
    with torch.inference_mode():
        expected = model.first(images_NCHW).mean(dim=(2, 3))
        torch.testing.assert_close(function(images_NCHW), expected)
        torch.testing.assert_close(function(images_NCHW[:1]), expected[:1])


@pytest.mark.parametrize("name", ["torchvision:convnext_tiny", "torchvision:swin_v2_t"])
def test_a_librarys_maps_have_their_channels(name: str) -> None:
    """Of either, the middle layer is given 1,536 channels."""
    with torch.device("meta"):
        model, images_NCHW = build(name)
        function = find_intermediate(model, images_NCHW[:1])
        assert function is not None
        assert function(images_NCHW).shape == (6, 1536)


def test_tokens_are_averaged_and_calls_are_counted() -> None:
    model = Tokens()
    images_NCHW = torch.randn(4, 3, 8, 8)
    function = find_intermediate(model, images_NCHW[:1])
    assert function is not None
    with torch.inference_mode():
        tokens_NTD = images_NCHW.permute(0, 2, 1, 3).flatten(2)
        expected = model.first(tokens_NTD).mean(dim=1)
        torch.testing.assert_close(function(images_NCHW), expected)
