"""Every classification network of torchvision by its name: built, trained a step, refused."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torchvision import models
from torchvision.models.regnet import BlockParams

from trainables.architectures import find_architecture
from trainables.architectures._libraries.network import LibraryModel
from trainables.config import ConfigError, parse_trial
from trainables.registry import default_of, is_estimator, recipe_of
from trainables.training.pretrained import Pretrained, load_pretrained, start_from

NAMES = models.list_models(module=models)

SIZES = {"alexnet": 64, "inception_v3": 80, "maxvit_t": 224, "vit_h_14": 28}
"""Sides in pixels, where a network does not take 32."""

MOST_PARAMETERS = 30_000_000
"""A network of more is built and trained on shapes alone, which takes no memory."""


def build(name: str, *, side: int = 32, channels: int = 3, **own: Any) -> LibraryModel:
    architecture = find_architecture(f"torchvision:{name}")
    flat = {"architecture": f"torchvision:{name}", "epochs": 1, **own}
    _, config = parse_trial(flat, architecture.Config)
    model = architecture.build(config, in_channels=channels, image_size=(side, side), num_classes=5)
    assert isinstance(model, LibraryModel)
    return model


@pytest.fixture
def _regnets_on_meta(monkeypatch: pytest.MonkeyPatch) -> None:
    """RegNets compute their widths by tensors, which need values."""
    original = BlockParams.from_init_params

    def on_cpu(*args: Any, **kwargs: Any) -> Any:
        with torch.device("cpu"):
            return original(*args, **kwargs)

    monkeypatch.setattr(BlockParams, "from_init_params", on_cpu)


@pytest.mark.usefixtures("_regnets_on_meta")
@pytest.mark.parametrize("name", NAMES)
def test_a_training_step(name: str) -> None:
    side = SIZES.get(name, 32)
    with torch.device("meta"):
        shapes = build(name, side=side)
    small = sum(parameter.numel() for parameter in shapes.parameters()) <= MOST_PARAMETERS
    model = build(name, side=side) if small else shapes
    with nullcontext() if small else torch.device("meta"):
        images_NCHW, labels_N = torch.randn(2, 3, side, side), torch.tensor([0, 4])
    features_ND: Tensor = model.features(images_NCHW)
    logits_NK = model.classifier(features_ND)
    assert features_ND.ndim == 2
    assert logits_NK.shape == (2, 5)
    loss = nn.functional.cross_entropy(logits_NK, labels_N)
    loss.backward()  # type: ignore[no-untyped-call]
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert not small or parameter.grad.isfinite().all(), parameter_name


@pytest.mark.parametrize("name", NAMES)
def test_its_imagenet_weights_have_a_file_and_a_normalisation(name: str) -> None:
    weights = find_architecture(f"torchvision:{name}").imagenet
    assert weights is not None
    assert weights.source.startswith("https://download.pytorch.org/")
    assert weights.by_hand.endswith(".pth")
    assert len(weights.mean) == len(weights.std) == 3


@pytest.mark.parametrize(
    ("name", "side", "remedy"),
    [
        ("inception_v3", 64, "give --image-size 80"),
        ("alexnet", 32, "give --image-size 64"),
        ("vit_b_32", 100, "give --image-size 128"),
        ("maxvit_t", 200, "give --image-size 224"),
    ],
)
def test_a_size_that_is_not_taken_names_one_that_is(name: str, side: int, remedy: str) -> None:
    with (
        torch.device("meta"),
        pytest.raises(ConfigError, match=f"image_size = {side}x{side}: .*{name}") as error,
    ):
        build(name, side=side)
    assert remedy in str(error.value)


def test_a_vision_transformer_takes_square_images() -> None:
    architecture = find_architecture("torchvision:vit_b_32")
    with torch.device("meta"), pytest.raises(ConfigError, match="it takes square ones"):
        architecture.build(architecture.Config(), in_channels=3, image_size=(64, 32), num_classes=2)


def test_an_unknown_name_tells_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"'torchvision:resnet81': .*did you mean 'resnet18'"):
        find_architecture("torchvision:resnet81")


def test_an_unknown_library_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'keras:resnet50': .*torchvision:NAME or timm:NAME"):
        find_architecture("keras:resnet50")


def test_the_recipe_takes_the_weights_own_normalisation() -> None:
    default = default_of("torchvision:resnet18", 3)
    assert default["normalisation"] == "train"
    assert recipe_of(default)["normalisation"] == "weights"
    assert not is_estimator("torchvision:resnet18")


def test_a_grey_image_gives_what_it_gives_repeated() -> None:
    torch.manual_seed(1)
    colour = build("shufflenet_v2_x0_5").eval()
    torch.manual_seed(1)
    grey = build("shufflenet_v2_x0_5", channels=1).eval()
    image_NCHW = torch.randn(2, 1, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(grey(image_NCHW), colour(image_NCHW.expand(-1, 3, -1, -1)))


def test_dense_layers_before_the_classifier() -> None:
    model = build("squeezenet1_1", head=(64, 16), dropout=0.25)
    assert [layer.in_features for layer in model.modules() if isinstance(layer, nn.Linear)] == [
        *(512, 64, 16)
    ]


def loaded(state: dict[str, Tensor], name: str, folder: Path) -> Pretrained:
    torch.save(state, folder / "weights.pth")
    return load_pretrained(str(folder / "weights.pth"), f"torchvision:{name}")


def features_before_last(theirs: nn.Module, images_NCHW: Tensor) -> Tensor:
    seen: list[Tensor] = []
    last = [layer for layer in theirs.modules() if isinstance(layer, nn.Linear)][-1]
    last.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.inference_mode():
        theirs.eval()(images_NCHW)
    return seen[0]


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("mobilenet_v3_small", 32),
        ("mnasnet0_5", 32),
        ("regnet_y_400mf", 32),
        ("googlenet", 32),
        ("densenet121", 32),
        ("efficientnet_b0", 32),
    ],
)
def test_torchvisions_weights_give_its_features(name: str, side: int, tmp_path: Path) -> None:
    torch.manual_seed(2)
    arguments = {"init_weights": True} if name == "googlenet" else {}
    theirs = models.get_model(name, weights=None, **arguments)
    model = build(name, side=side)
    start_from(model, loaded(theirs.state_dict(), name, tmp_path))
    images_NCHW = torch.randn(2, 3, side, side)
    with torch.inference_mode():
        found = model.eval().features(images_NCHW)
    torch.testing.assert_close(found, features_before_last(theirs, images_NCHW))


def test_older_names_of_a_densenet_are_translated(tmp_path: Path) -> None:
    state = models.densenet121(weights=None).state_dict()
    older = {
        name.replace("norm1.", "norm.1.").replace("conv2.", "conv.2."): tensor
        for name, tensor in state.items()
    }
    assert older.keys() != state.keys()
    model = build("densenet121")
    start_from(model, loaded(older, "densenet121", tmp_path))
    name = "features.denseblock1.denselayer1.conv2.weight"
    assert torch.equal(model.backbone.state_dict()[name], state[name])


def test_a_vision_transformers_weights_are_taken_at_another_size(tmp_path: Path) -> None:
    small: dict[str, Any] = {"num_layers": 1, "hidden_dim": 24, "mlp_dim": 8}
    theirs = models.VisionTransformer(image_size=64, patch_size=32, num_heads=2, **small)
    older = {
        name.replace(".mlp.0.", ".mlp.linear_1.").replace(".mlp.3.", ".mlp.linear_2."): tensor
        for name, tensor in theirs.state_dict().items()
    }
    from trainables.architectures._libraries.torchvision import _adapted

    network = models.VisionTransformer(image_size=96, patch_size=32, num_heads=2, **small)
    network.load_state_dict(_adapted(network, older))
    assert network.encoder.pos_embedding.shape == (1, 1 + 3 * 3, 24)


@pytest.mark.parametrize("name", ["mnasnet0_5", "squeezenet1_1"])
def test_weights_of_safetensors_load(name: str, tmp_path: Path) -> None:
    one, other = build(name), build(name)
    save_file(one.state_dict(), tmp_path / "model.safetensors")
    other.load_state_dict(load_file(tmp_path / "model.safetensors"))
    same = [torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True)]
    assert all(same)
