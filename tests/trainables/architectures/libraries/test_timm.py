"""timm is an extra: without it one sentence says what to install, with it its networks train."""

import sys

import pytest
import torch
from torch import nn

from trainables.architectures import find_architecture
from trainables.architectures._libraries.network import LibraryModel
from trainables.config import ConfigError
from trainables.registry import is_estimator


def test_without_timm_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)  # to import it raises ModuleNotFoundError
    assert not is_estimator("timm:resnet18.a1_in1k")
    with pytest.raises(ConfigError, match=r"'timm:resnet18': .*pip install 'tune-jobs\[timm\]'"):
        find_architecture("timm:resnet18")


def build(name: str, *, side: int, channels: int = 3) -> LibraryModel:
    architecture = find_architecture(f"timm:{name}")
    model = architecture.build(
        architecture.Config(), in_channels=channels, image_size=(side, side), num_classes=5
    )
    assert isinstance(model, LibraryModel)
    return model


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", ["resnet10t", "vit_tiny_patch16_224", "convnext_atto.d2_in1k"])
def test_a_training_step(name: str, channels: int) -> None:
    model = build(name, side=64, channels=channels)
    logits_NK = model(torch.randn(2, channels, 64, 64))
    assert logits_NK.shape == (2, 5)
    nn.functional.cross_entropy(logits_NK, torch.tensor([0, 4])).backward()  # type: ignore[no-untyped-call]
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_weights_fit_at_another_size() -> None:
    from timm import create_model

    model = build("vit_tiny_patch16_224", side=64)
    state = create_model("vit_tiny_patch16_224").state_dict()
    adapted = model.adapted({f"backbone.{name}": tensor for name, tensor in state.items()})
    kept = {name: t for name, t in adapted.items() if not name.startswith(model.replaced)}
    missing, unexpected = model.load_state_dict(kept, strict=False)
    assert not unexpected
    assert all(name.startswith("classifier.") for name in missing)


def test_an_unknown_name_tells_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"did you mean 'resnet10t'"):
        find_architecture("timm:resnet10tt")


def test_a_size_that_is_not_taken_names_one_that_is() -> None:
    with pytest.raises(ConfigError, match="give --image-size 16"):
        build("vit_tiny_patch16_224", side=8)
