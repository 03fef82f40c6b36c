"""Torchvision's backbones: their own weights fit, and the stem and head that were asked for."""

from importlib import import_module
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor, nn

from trainables.architectures import find_architecture
from trainables.architectures._backbone import BackboneModel
from trainables.config import parse_trial

BACKBONES = ["resnet18", "resnet50", "mobilenet_v2"]
LAST_LAYERS = ("fc.", "classifier.")

every_backbone = pytest.mark.parametrize("name", BACKBONES)
every_size = pytest.mark.parametrize("size", [32, 64])


def build(name: str, *, size: int, channels: int = 3, **own: Any) -> BackboneModel:
    architecture = find_architecture(name)
    _, config = parse_trial({"architecture": name, "epochs": 1, **own}, architecture.Config)
    model = architecture.build(
        config, in_channels=channels, image_size=(size, size), num_classes=5
    ).eval()
    assert isinstance(model, BackboneModel)
    return model


def torchvisions(name: str) -> nn.Module:
    model: nn.Module = torchvision.models.get_model(name, weights=None).eval()
    return model


def without_last_layer(name: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: value for key, value in state.items() if not key.startswith(LAST_LAYERS)}


def first_convolution(model: BackboneModel) -> nn.Conv2d:
    return next(module for module in model.backbone.modules() if isinstance(module, nn.Conv2d))


@every_backbone
@every_size
def test_torchvisions_weights_fit_and_give_its_features(name: str, size: int) -> None:
    theirs, ours = torchvisions(name), build(name, size=size, stem="imagenet")
    ours.backbone.load_state_dict(without_last_layer(name, theirs.state_dict()), strict=True)
    images_NCHW = torch.randn(2, 3, size, size)
    before_last: list[Tensor] = []
    last = [module for module in theirs.modules() if isinstance(module, nn.Linear)][-1]
    last.register_forward_pre_hook(lambda _, inputs: before_last.append(inputs[0]))
    with torch.inference_mode():
        theirs(images_NCHW)
        assert torch.equal(ours.features(images_NCHW), before_last[0])


@every_backbone
def test_the_weights_enum_is_torchvisions_for_this_backbone(name: str) -> None:
    given = import_module(f"trainables.architectures.{name}").IMAGENET
    assert torchvision.models.get_weight(given) in torchvision.models.get_model_weights(name)


@every_backbone
@pytest.mark.parametrize(
    ("stem", "size", "small"),
    [
        ("auto", 63, True),
        ("auto", 64, False),
        ("imagenet", 32, False),
        ("small", 96, True),
    ],
)
def test_stem(name: str, stem: str, size: int, *, small: bool) -> None:
    with torch.device("meta"):
        convolution = first_convolution(build(name, size=size, stem=stem))
    assert convolution.stride == ((1, 1) if small else (2, 2))


@every_backbone
def test_the_small_stem_keeps_more_pixels(name: str) -> None:
    sizes: list[torch.Size] = []
    for stem in ("small", "imagenet"):
        model = build(name, size=32, stem=stem)
        last = [m for m in model.backbone.modules() if isinstance(m, nn.Conv2d)][-1]
        last.register_forward_hook(lambda _, __, maps: sizes.append(maps.shape[-2:]))
        with torch.inference_mode():
            model(torch.randn(1, 3, 32, 32))
    expected = (2, 2) if name == "mobilenet_v2" else (4, 4)
    assert sizes == [expected, (1, 1)]


@every_backbone
@every_size
def test_grey_images_have_a_first_convolution_of_their_own(name: str, size: int) -> None:
    model = build(name, size=size, channels=1)
    assert first_convolution(model).in_channels == 1
    assert model(torch.randn(1, 1, size, size)).shape == (1, 5)


@every_backbone
def test_torchvisions_own_stem_is_left_as_it_was_made(name: str) -> None:
    torch.manual_seed(3)
    theirs = without_last_layer(name, torchvisions(name).state_dict())
    torch.manual_seed(3)
    ours = build(name, size=64).backbone.state_dict()
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


@every_backbone
def test_dense_layers_before_the_classifier(name: str) -> None:
    with torch.device("meta"):
        model = build(name, size=32, head=(1024, 256, 64, 16), dropout=0.25)
    width = 512 if name == "resnet18" else {"resnet50": 2048, "mobilenet_v2": 1280}[name]
    linear = [m for m in model.modules() if isinstance(m, nn.Linear)]
    assert [layer.in_features for layer in linear] == [width, 1024, 256, 64, 16]
    assert [type(layer) for layer in model.head] == [nn.Dropout, nn.Linear, nn.ReLU] * 4
    own = [*model.head, model.dropout]
    assert [layer.p for layer in own if isinstance(layer, nn.Dropout)] == [0.25] * 5


@pytest.mark.parametrize(
    ("name", "torchvisions_count", "last_layer"),
    [
        ("resnet18", 11_689_512, 513_000),
        ("resnet50", 25_557_032, 2_049_000),
        ("mobilenet_v2", 3_504_872, 1_281_000),
    ],
)
def test_parameter_count(name: str, torchvisions_count: int, last_layer: int) -> None:
    with torch.device("meta"):
        model = build(name, size=64)
    found = sum(parameter.numel() for parameter in model.backbone.parameters())
    assert found == torchvisions_count - last_layer
