"""A job, or a configuration by name, says what features its trials train on."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, Literal

from trainables.config.errors import ConfigError
from trainables.config.validation import Count, Range, check_fields, nearest


@dataclass(frozen=True, kw_only=True, slots=True)
class Pixels:
    """Features are the pixels themselves, row by row, scaled to [0, 1]."""

    kind: Literal["pixels"] = "pixels"


@dataclass(frozen=True, kw_only=True, slots=True)
class Hog:
    """Features are principal components of histograms of oriented gradients, ranked.

    The histograms are those of Dalal & Triggs (2005).

    Attributes:
        components: How many principal components are kept; they are fitted on the train split.
        ranked_by: How components are ordered, of which a trial takes the first `num_features`: by
            their variance, or by the F value of an analysis of variance on the train labels.
    """

    components: Count = 128
    ranked_by: Literal["f_classif", "variance"] = "f_classif"
    kind: Literal["hog"] = "hog"

    def __post_init__(self) -> None:
        _check(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class Frozen:
    """Features are what a network with fixed weights gives its classifier.

    Attributes:
        architecture: A name that `find_architecture` takes; its weights are the run's `--weights`.
        config: Knobs of the architecture's `Config`, the normalisation, and the knobs of
            augmentations, by which the views are made.
        views: How many augmented views of each image of train there are, besides the plain one.
        image_size: The side in pixels to which images are resized for the network, larger or
            smaller; `None` leaves them as they are.
    """

    architecture: str
    config: Mapping[str, Any] = field(default_factory=dict)
    views: Annotated[int, Range(0)] = 0
    image_size: Count | None = None
    kind: Literal["frozen"] = "frozen"

    def __post_init__(self) -> None:
        _check(self)


def _check(spec: Hog | Frozen) -> None:
    """Raise a `ConfigError` where values break the rules of their fields: computing takes long."""
    _, problems = check_fields(type(spec), {f.name: getattr(spec, f.name) for f in fields(spec)})
    if problems:
        raise ConfigError("\n".join(f"features: {problem}" for problem in problems))


Features = Pixels | Hog | Frozen

NAMED: dict[str, Features] = {
    "pixels": Pixels(),
    "hog": Hog(),
    "frozen": Frozen(
        architecture="torchvision:mobilenet_v2",
        config={"normalisation": "weights"},
        image_size=224,
    ),
}
"""The features that a configuration may name, for trials of one search that train on different
ones. An entry's meaning must not change, since the record has its name alone."""

KINDS: dict[str, type[Pixels | Hog | Frozen]] = {"pixels": Pixels, "hog": Hog, "frozen": Frozen}


def build_features(spec: Mapping[str, Any]) -> Features:
    """Build what `dataclasses.asdict` has taken apart, as read back from JSON.

    Raises:
        ConfigError: Its kind is unknown.
    """
    if spec.get("kind") not in KINDS:
        raise ConfigError(
            f"features: kind = {spec.get('kind')!r}: must be one of {', '.join(KINDS)}"
            f"{nearest(str(spec.get('kind')), list(KINDS))}"
        )
    return KINDS[spec["kind"]](**spec)
