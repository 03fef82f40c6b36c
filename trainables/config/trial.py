"""A configuration says how a network is trained, or how an estimator is fitted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from trainables.config.augmentations import Augmentation, no_augmentation
from trainables.config.features import NAMED
from trainables.config.optimizers import OPTIMIZERS
from trainables.config.validation import (
    Count,
    Fraction,
    FractionBelowOne,
    NotNegative,
    OneOf,
    Positive,
    Range,
)

FeaturesName = Annotated[str, OneOf(NAMED)]
"""The features that a trial is given in place of what its job gives to all."""

ScheduleName = Literal[
    "constant", "step", "exponential", "warmup_exponential", "plateau", "cosine", "one_cycle"
]
NormalisationName = Literal["train", "weights", "imagenet", "half", "unit"]
"""`weights` is what the weights that a network starts from were trained with, and `train` where it
starts from scratch."""

ClassWeights = Literal["none", "balanced"]
"""`balanced` weighs a class by N / (K n_k), for its n_k of N training images and K classes."""

KeptEpoch = Literal["last", "accuracy", "balanced_accuracy", "macro_f1", "log_loss", "auroc"]
"""The epoch whose model a training leaves: the last, or the best by a metric on validation."""

Configuration = Mapping[str, Any]
"""A flat configuration holds, side by side, the fields of `TrialConfig` and the knobs of
augmentations (or the fields of `EstimatorConfig`), and those of the architecture's own `Config`.
`parse_trial` makes them typed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialConfig:
    """Says how a network is trained; the architecture's own knobs are in its `Config`.

    `None` in a schedule's field leaves it to `build_schedule`, which derives it from `epochs`.
    """

    architecture: str
    epochs: Count
    batch_size: Count = 128
    lr: Positive = 1e-3
    l2: NotNegative = 0.0  # torch's `weight_decay`, with each optimizer's meaning of it
    optimizer: Annotated[str, OneOf(OPTIMIZERS)] = "adam"
    momentum: FractionBelowOne = 0.9  # for optimizers that have one
    schedule: ScheduleName = "constant"
    step_epochs: Count | None = None
    step_gamma: Fraction = 0.1
    exponential_gamma: Fraction | None = None
    warmup_epochs: Count | None = None
    plateau_factor: FractionBelowOne = 0.1
    plateau_patience: Annotated[int, Range(0)] | None = None
    plateau_min_lr: NotNegative = 0.0
    label_smoothing: FractionBelowOne = 0.0
    class_weights: ClassWeights = "none"  # in the loss of training, not of validation
    ema_epochs: NotNegative = 0.0
    """Weights are averaged exponentially over so many epochs, and the average predicts; 0: not."""
    keep: KeptEpoch = "last"
    head_epochs: Annotated[int, Range(0)] = 0
    """The classifier alone, with a backbone's `head` before it, is trained in the first so many
    epochs; all of them: the other weights stay as they started, while batch norm's statistics
    become those of the images."""
    first_layer_lr: Annotated[float, Range(0, 1, open_minimum=True)] = 1.0
    """The share of `lr` that the layer next to the image takes; the shares of those between it and
    the classifier, which takes all, grow by one factor from layer to layer."""
    crop_fraction: Annotated[float, Range(0, 1, open_minimum=True)] = 1.0
    """The network sees this share of each side: a random crop in training, else the centre."""
    augmentations: tuple[Augmentation, ...] = field(
        default_factory=no_augmentation, metadata={"flat": False}
    )
    """The steps of `AUGMENTATIONS`; their knobs are keys of a flat configuration."""
    mixup_alpha: NotNegative = 0.0
    """Each image is mixed with another, and its label, by a share from Beta(alpha, alpha), of which
    it keeps the larger part; 0: not. A training accuracy is then not recorded."""
    cutmix_alpha: NotNegative = 0.0
    """A rectangle of each image is another's, its area from Beta(alpha, alpha), and as much of the
    label; 0: not. With `mixup_alpha` too, each image draws which of the two."""
    normalisation: NormalisationName = "train"
    max_image_size: Count | None = None  # larger images are reduced to this side; `None`: they stay
    features: FeaturesName | None = None
    num_features: Count | None = None  # the first so many of precomputed features; `None`: all

    @property
    def mixes(self) -> bool:
        """Whether labels are mixed, so that a training batch has no accuracy."""
        return self.mixup_alpha > 0 or self.cutmix_alpha > 0


@dataclass(frozen=True, kw_only=True, slots=True)
class EstimatorConfig:
    """Says how an estimator is fitted; its own knobs are in its `Config`.

    The fidelity of epoch n is n / `epochs`: a share of the train split, or of the boosting rounds.
    """

    architecture: str
    epochs: Count
    max_image_size: Count | None = None  # larger images are reduced to this side; `None`: they stay
    features: FeaturesName | None = None
    num_features: Count | None = None  # the first so many of precomputed features; `None`: all
    class_weights: ClassWeights = "none"  # for estimators that have a `class_weight`


def reduced_size(config: Configuration, image_size: tuple[int, int]) -> int | None:
    """Return the side to which a configuration has images of `image_size`, (H, W), reduced; `None`
    where they stay as they are."""
    most: int | None = config.get("max_image_size")
    return most if most is not None and most < max(image_size) else None
