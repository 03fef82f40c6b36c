"""Random flips and rotations of feature maps."""

import pytest
import torch
from torch import Tensor, nn

from trainables.architectures._random_layers import COLUMNS, ROWS, RandomFlip, RandomRotation

every_layer = pytest.mark.parametrize(
    "layer", [RandomFlip(0.5, ROWS), RandomFlip(0.5, COLUMNS), RandomRotation(30.0)], ids=str
)


def maps(count: int = 64, height: int = 6, width: int = 6) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(1, 3, height, width, generator=generator).expand(count, -1, -1, -1)


@every_layer
def test_evaluation_changes_nothing(layer: nn.Module) -> None:
    layer.eval()
    assert torch.equal(layer(maps()), maps())


@every_layer
def test_each_image_has_its_own_draw(layer: nn.Module) -> None:
    torch.manual_seed(0)
    changed = layer.train()(maps())
    assert len(changed.unique(dim=0)) == (64 if isinstance(layer, RandomRotation) else 2)


@every_layer
def test_torchs_seed_fixes_the_draws(layer: nn.Module) -> None:
    layer.train()
    torch.manual_seed(1)
    one = layer(maps())
    torch.manual_seed(1)
    assert torch.equal(layer(maps()), one)
    assert not torch.equal(layer(maps()), one)


@every_layer
def test_channels_last_gives_the_same_maps(layer: nn.Module) -> None:
    layer.train()
    torch.manual_seed(0)
    expected = layer(maps())
    torch.manual_seed(0)
    found = layer(maps().contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(found, expected)


@every_layer
def test_gradients_pass(layer: nn.Module) -> None:
    images_NCHW = maps().clone().requires_grad_()
    layer.train()(images_NCHW).sum().backward()
    assert images_NCHW.grad is not None
    assert images_NCHW.grad.any()


@pytest.mark.parametrize("dim", [ROWS, COLUMNS])
def test_a_certain_flip_reverses_the_dimension(dim: int) -> None:
    assert torch.equal(RandomFlip(1.0, dim)(maps()), maps().flip(dim))


@pytest.mark.parametrize("layer", [RandomFlip(0.0, ROWS), RandomRotation(0.0)], ids=str)
def test_nothing_asked_changes_nothing(layer: nn.Module) -> None:
    assert torch.equal(layer(maps()), maps())


def test_flips_as_often_as_asked() -> None:
    torch.manual_seed(0)
    flipped = RandomFlip(0.25, ROWS)(maps(4000)) != maps(4000)
    assert flipped.any(dim=3).any(dim=2).any(dim=1).float().mean() == pytest.approx(0.25, abs=0.03)


def test_a_quarter_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "rand", lambda n, **_: torch.ones(n))
    turned = RandomRotation(90.0)(maps(2))
    torch.testing.assert_close(turned, maps(2).rot90(1, dims=(2, 3)), rtol=1e-4, atol=1e-5)


def test_oblong_maps_are_turned_without_stretching(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "rand", lambda n, **_: torch.ones(n))
    turned = RandomRotation(90.0)(maps(1, height=4, width=8))
    square = maps(1, height=4, width=8)[..., 2:6]
    torch.testing.assert_close(turned[..., 2:6], square.rot90(1, dims=(2, 3)), rtol=1e-4, atol=1e-5)


def test_what_comes_in_is_the_reflection() -> None:
    constant = torch.ones(8, 2, 5, 5)
    torch.testing.assert_close(RandomRotation(45.0)(constant), constant)


def test_a_single_pixel_turns_into_itself() -> None:
    pixels = torch.randn(8, 4, 1, 1)
    torch.testing.assert_close(RandomRotation(45.0)(pixels), pixels)
