"""One suite over every file in `trainables/architectures`."""

import pkgutil
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from trainables import architectures
from trainables.architectures import find_architecture
from trainables.config import ConfigError, default_config, parse_trial
from trainables.registry import names_in

NAMES = [
    module.name
    for module in pkgutil.iter_modules(architectures.__path__)
    if not module.name.startswith("_")
]

every_architecture = pytest.mark.parametrize("name", NAMES)
every_shape = pytest.mark.parametrize(
    ("channels", "size", "classes"),
    [
        (1, (8, 8), 10),
        (3, (32, 32), 7),
        (3, (19, 34), 2),
        (1, (64, 64), 3),
    ],
)


def small_size(name: str) -> tuple[int, int]:
    side = max(16, find_architecture(name).minimum_pixels)
    return side, side


def build(
    name: str,
    channels: int = 3,
    size: tuple[int, int] | None = None,
    classes: int = 5,
    seed: int = 0,
) -> nn.Module:
    architecture = find_architecture(name)
    size = size or small_size(name)
    flat = {**default_config(name, architecture.Config), "epochs": 1}
    _, own = parse_trial(flat, architecture.Config)
    torch.manual_seed(seed)
    return architecture.build(own, in_channels=channels, image_size=size, num_classes=classes)


def batch(
    channels: int = 3, size: tuple[int, int] = (16, 16), classes: int = 5, count: int = 8
) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    images_NCHW = torch.randn(count, channels, *size, generator=generator)
    return images_NCHW, torch.randint(classes, (count,), generator=generator)


@every_architecture
@every_shape
def test_images_to_features_to_logits(
    name: str, channels: int, size: tuple[int, int], classes: int
) -> None:
    if min(size) < find_architecture(name).minimum_pixels:
        with pytest.raises(ConfigError, match="--image-size"):
            build(name, channels, size, classes)
        return
    model = build(name, channels, size, classes).eval()
    images_NCHW, _ = batch(channels, size, classes)
    features_ND: Tensor = model.features(images_NCHW)  # type: ignore[operator]
    logits_NK = model(images_NCHW)
    assert features_ND.ndim == 2
    assert logits_NK.shape == (8, classes)
    assert torch.equal(logits_NK, model.classifier(features_ND))  # type: ignore[operator]


@every_architecture
def test_channels_last_gives_the_same_logits(name: str) -> None:
    images_NCHW, _ = batch(size=small_size(name))
    expected = build(name).eval()(images_NCHW)
    model = build(name).eval().to(memory_format=torch.channels_last)
    found = model(images_NCHW.to(memory_format=torch.channels_last))
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


@every_architecture
def test_every_parameter_has_a_gradient(name: str) -> None:
    model = build(name)
    images_NCHW, labels_N = batch(size=small_size(name))
    loss = nn.functional.cross_entropy(model(images_NCHW), labels_N)
    assert loss.isfinite()
    loss.backward()  # type: ignore[no-untyped-call]
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.isfinite().all(), parameter_name
        assert parameter.grad.any(), parameter_name


@every_architecture
def test_overfits_one_batch(name: str) -> None:
    model = build(name)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    images_NCHW, labels_N = batch(size=small_size(name))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    first = nn.functional.cross_entropy(model(images_NCHW), labels_N).item()
    for _ in range(100):
        loss = nn.functional.cross_entropy(model(images_NCHW), labels_N)
        if loss < 0.3 * first:
            return
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    pytest.fail(f"the loss went from {first} to {loss.item()} only")


@every_architecture
def test_same_seed_same_weights(name: str) -> None:
    one, same, other = (build(name, seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert not all(torch.equal(one[key], other[key]) for key in one)


def test_unknown_name_tells_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"architecture = 'resnet81': .*did you mean 'resnet18'"):
        find_architecture("resnet81")


def test_unknown_name_lists_the_known_ones() -> None:
    known = sorted(NAMES + names_in("estimators"))
    with pytest.raises(ConfigError, match=f"must be one of {', '.join(known)}"):
        find_architecture("xyzzy")


@pytest.mark.parametrize("path", ["no_such_package.net", "trainables.no_such_module", ".cnn"])
def test_dotted_path_that_cannot_be_imported(path: str) -> None:
    with pytest.raises(ConfigError, match=f"architecture = '{path}'"):
        find_architecture(path)


def test_dotted_path_finds_a_module_of_your_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "my_networks"
    package.mkdir()
    source = Path(architectures.__path__[0], "linear.py").read_text()
    (package / "net.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    assert find_architecture("my_networks.net").name == "my_networks.net"
    images_NCHW, _ = batch()
    assert build("my_networks.net")(images_NCHW).shape == (8, 5)


def test_module_without_a_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "half_networks"
    package.mkdir()
    (package / "net.py").write_text("class Config: ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match=r"'half_networks.net': the module has no Model"):
        find_architecture("half_networks.net")
