"""TrivialAugment's operations, against torchvision's on single images, and its draws."""

import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode, TrivialAugmentWide

from trainables.image_ops.trivial_augment import OPERATIONS, to_uint8, trivial_augment

THEIRS = TrivialAugmentWide()
SPACE = THEIRS._AUGMENTATION_SPACE
GREY_ROUNDED = 2
"""torchvision rounds grey down before it blends, and the blend once more."""


def smooth(count: int, height: int, width: int, channels: int) -> Tensor:
    small = torch.rand(count, channels, 6, 6, generator=torch.Generator().manual_seed(0))
    large = torch.nn.functional.interpolate(small, size=(height, width), mode="bilinear")
    return (large * 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def reference(name: str, image_HWC: Tensor, strength: int) -> Tensor:
    magnitudes, signed = SPACE[name]
    values = magnitudes(31, *image_HWC.shape[:2])
    magnitude = 0.0 if values is None else float(values[abs(strength)])
    changed: Tensor = THEIRS._apply_image_or_video_transform(
        image_HWC.permute(2, 0, 1),
        name,
        -magnitude if signed and strength < 0 else magnitude,
        interpolation=InterpolationMode.NEAREST,
        fill={},
    )
    return changed.permute(1, 2, 0)


def test_there_are_those_of_torchvision() -> None:
    assert list(OPERATIONS) == list(SPACE)


@pytest.mark.parametrize("shape", [(32, 32, 3), (40, 34, 3), (32, 40, 1)], ids=str)
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_torchvisions(name: str, shape: tuple[int, int, int]) -> None:
    strengths = [-30, -17, -8, -1, 0, 3, 11, 21, 30]
    images_NHWC = smooth(len(strengths), *shape)
    before = images_NHWC.clone()
    results = to_uint8(OPERATIONS[name](images_NHWC, torch.tensor(strengths)))
    assert torch.equal(images_NHWC, before)
    for image, strength, result in zip(images_NHWC, strengths, results, strict=True):
        difference = (result.int() - reference(name, image, strength).int()).abs()
        # Where a turn ends midway between two pixels, either is the nearest.
        assert (difference > GREY_ROUNDED).float().mean() < 0.01


def test_each_image_has_its_own_operation_and_strength() -> None:
    """Every result is what one of the operations makes at one of the strengths."""
    [image] = smooth(1, 10, 12, 3)
    strengths = torch.arange(-30, 31)
    many = image.expand(len(strengths), -1, -1, -1)
    possible = torch.cat([to_uint8(apply(many, strengths)) for apply in OPERATIONS.values()])
    generator = torch.Generator().manual_seed(0)
    results = trivial_augment(image.expand(300, -1, -1, -1), generator, probability=1.0)
    known = {bytes(changed.flatten().tolist()) for changed in possible}
    drawn = {bytes(changed.flatten().tolist()) for changed in results}
    assert drawn <= known
    assert len(drawn) > 100


def test_images_keep_their_places() -> None:
    """Those that drew the same operation are changed together, and go back to where they were."""
    images_NHWC = smooth(40, 8, 8, 3)
    seed = torch.Generator()
    together = trivial_augment(images_NHWC, seed.manual_seed(1), probability=1.0)
    replaced = images_NHWC.clone()
    replaced[17] = 0
    again = trivial_augment(replaced, seed.manual_seed(1), probability=1.0)
    others = [n for n in range(40) if n != 17]
    assert torch.equal(together[others], again[others])


def test_the_operations_are_drawn_evenly_and_the_rest_stays() -> None:
    images_NHWC = smooth(1, 6, 6, 1).expand(4000, -1, -1, -1)
    generator = torch.Generator().manual_seed(0)
    results = trivial_augment(images_NHWC, generator, probability=0.5)
    unchanged = (results == images_NHWC).flatten(1).all(1).float().mean().item()
    # Saturation leaves a grey image as it is, as does doing nothing; some strengths too.
    assert 0.5 + 0.5 * 2 / 14 < unchanged < 0.75
