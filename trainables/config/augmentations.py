"""Augmentations are steps of a table: each says its knobs, and what it does to a training batch.

Configurations are parsed and completed by the table, so that an entry is all that a step needs.
A step in this file imports torch when it is applied, since a configuration is parsed without torch.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Annotated, Any

from trainables.config.validation import Fraction, FractionBelowOne, Range

if TYPE_CHECKING:
    from torch import Generator, Tensor


@dataclass(frozen=True, slots=True)
class Shown:
    """Says at which strength a run's report shows what a knob does.

    Attributes:
        nominal: The strength that is shown where a configuration leaves the knob at 0.
        is_probability: Whether the knob says how often images change: the report shows one
            that does.
    """

    nominal: float
    is_probability: bool = False

    def strength(self, given: float) -> float:
        return self.nominal if self.is_probability else given or self.nominal


def probability() -> Any:
    """Make a knob that says how often an image is changed; by default, never."""
    return field(default=0.0, metadata={"shown": Shown(1.0, is_probability=True)})


def strength(*, nominal: float) -> Any:
    """Make a knob that says how much an image is changed; by default, not at all.

    Args:
        nominal: The strength at which a run's report shows the knob where it is not used.
    """
    return field(default=0.0, metadata={"shown": Shown(nominal)})


@dataclass(frozen=True, kw_only=True, slots=True)
class Augmentation(ABC):
    """A step of augmentation changes the images of a training batch, at given strengths.

    A subclass is a frozen dataclass whose fields are its knobs: their names are keys of a flat
    configuration, their annotations the rules, and `probability` or `strength` makes each of them.
    """

    def __post_init__(self) -> None:
        for knob in fields(self):
            if "shown" not in knob.metadata:
                raise TypeError(
                    f"{type(self).__name__}.{knob.name}: a knob must be made by `probability()` or "
                    "`strength(nominal=...)`, which say how a report shows it"
                )

    @classmethod
    def knobs(cls) -> dict[str, Shown]:
        """Say how a run's report shows each knob, by the knob's name."""
        return {knob.name: knob.metadata["shown"] for knob in fields(cls)}

    @abstractmethod
    def apply(
        self, images_NHWC: "Tensor", generator: "Generator", crop_fraction: float
    ) -> "Tensor":
        """Change each image by its own draw; the images that are given stay as they are.

        A step whose knobs are all 0 returns the images and draws nothing, so that a configuration
        that does not use it trains to the bit as it did before the step was added.

        Args:
            images_NHWC: uint8, or float32 where a step before this one interpolates; pixels are
                in [0, 255] either way.
            generator: The source of all draws, on the images' device.
            crop_fraction: The share of each side that the configuration leaves of an image; the
                step that cuts windows out needs it.

        Returns:
            Images in the same range, NHWC, uint8 or float32.
        """


@dataclass(frozen=True, kw_only=True, slots=True)
class CropAndFlip(Augmentation):
    """Move each image by whole pixels and mirror it, both by one gather."""

    horizontal_flip: Fraction = probability()
    vertical_flip: Fraction = probability()
    crop_padding: Annotated[float, Range(0, 0.5)] = strength(nominal=0.125)
    """The share of the shorter side by which zeros pad each side before a window is cut out."""

    def apply(
        self, images_NHWC: "Tensor", generator: "Generator", crop_fraction: float
    ) -> "Tensor":
        from trainables.image_ops.geometry import crop_and_flip

        return crop_and_flip(
            images_NHWC,
            generator,
            horizontal_flip=self.horizontal_flip,
            vertical_flip=self.vertical_flip,
            crop_padding=self.crop_padding,
            crop_fraction=crop_fraction,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Affine(Augmentation):
    """Turn, shear, zoom and move each image by one affine map, each amount drawn from [-x, x]."""

    rotation_degrees: Annotated[float, Range(0, 180)] = strength(nominal=15.0)
    shear_degrees: Annotated[float, Range(0, 60)] = strength(nominal=15.0)
    zoom: FractionBelowOne = strength(nominal=0.2)  # 0.1: 90 % to 110 % of the size
    translation: FractionBelowOne = strength(nominal=0.1)  # of the image's side

    def apply(
        self, images_NHWC: "Tensor", generator: "Generator", crop_fraction: float
    ) -> "Tensor":
        from trainables.image_ops.geometry import affine

        return affine(
            images_NHWC,
            generator,
            rotation_degrees=self.rotation_degrees,
            shear_degrees=self.shear_degrees,
            zoom=self.zoom,
            translation=self.translation,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class TrivialAugment(Augmentation):
    """Change each image by one of 14 operations at one of 31 strengths, drawn evenly.

    The images are rounded to uint8 (Müller and Hutter 2021, https://arxiv.org/abs/2103.10158).
    """

    trivial_augment: Fraction = probability()

    def apply(
        self, images_NHWC: "Tensor", generator: "Generator", crop_fraction: float
    ) -> "Tensor":
        from trainables.image_ops.trivial_augment import trivial_augment

        return trivial_augment(images_NHWC, generator, probability=self.trivial_augment)


@dataclass(frozen=True, kw_only=True, slots=True)
class ColourJitter(Augmentation):
    """Change brightness, contrast and saturation by factors from [1 - x, 1 + x], and the hue.

    A grey image has neither saturation nor hue.
    """

    brightness: Fraction = strength(nominal=0.4)
    contrast: Fraction = strength(nominal=0.4)
    saturation: Fraction = strength(nominal=0.4)
    hue: Annotated[float, Range(0, 0.5)] = strength(nominal=0.1)  # of the circle of colours

    def apply(
        self, images_NHWC: "Tensor", generator: "Generator", crop_fraction: float
    ) -> "Tensor":
        from trainables.image_ops.colour import colour_jitter

        return colour_jitter(
            images_NHWC,
            generator,
            brightness=self.brightness,
            contrast=self.contrast,
            saturation=self.saturation,
            hue=self.hue,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class RandomErasing(Augmentation):
    """Fill a rectangle of 2 % to 33 % of an image with noise.

    Zhong et al. 2017, https://arxiv.org/abs/1708.04896.
    """

    random_erasing: Fraction = probability()

    def apply(
        self, images_NHWC: "Tensor", generator: "Generator", crop_fraction: float
    ) -> "Tensor":
        from trainables.image_ops.boxes import random_erasing

        return random_erasing(images_NHWC, generator, probability=self.random_erasing)


AUGMENTATIONS: dict[str, type[Augmentation]] = {
    "crop_and_flip": CropAndFlip,
    "affine": Affine,
    "trivial_augment": TrivialAugment,
    "colour_jitter": ColourJitter,
    "random_erasing": RandomErasing,
}
"""The steps by name, in the order in which they are applied: an added one comes last."""


def no_augmentation() -> tuple[Augmentation, ...]:
    """Build every step of the table with all its knobs at 0."""
    return tuple(step() for step in AUGMENTATIONS.values())
