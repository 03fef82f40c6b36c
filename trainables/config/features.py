"""What features a job trains on, as its file says it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from trainables.config.errors import ConfigError
from trainables.config.validation import nearest


@dataclass(frozen=True, kw_only=True, slots=True)
class Pixels:
    """The pixels themselves, row by row, scaled to [0, 1]."""

    kind: Literal["pixels"] = "pixels"


@dataclass(frozen=True, kw_only=True, slots=True)
class Hog:
    """Histograms of oriented gradients (Dalal & Triggs 2005), then principal components, ranked.

    Attributes:
        components: Principal components kept, fitted on the train split.
        ranked_by: A trial takes the first `num_features` of the components, ordered by their
            variance or by the F value of an analysis of variance on the train split's labels.
    """

    components: int = 128
    ranked_by: Literal["f_classif", "variance"] = "f_classif"
    kind: Literal["hog"] = "hog"


@dataclass(frozen=True, kw_only=True, slots=True)
class Frozen:
    """What a network says before its classifier, its weights fixed.

    Attributes:
        architecture: As `find_architecture` takes it; its weights are the run's `--weights`.
        config: Knobs of the architecture's `Config`, and of `TrialConfig`: the normalisation, and
            how the views are augmented.
        views: Augmented views of each image of train, besides the plain one.
    """

    architecture: str
    config: Mapping[str, Any] = field(default_factory=dict)
    views: int = 0
    kind: Literal["frozen"] = "frozen"


Features = Pixels | Hog | Frozen

KINDS: dict[str, type[Pixels | Hog | Frozen]] = {"pixels": Pixels, "hog": Hog, "frozen": Frozen}


def build_features(spec: Mapping[str, Any]) -> Features:
    """The inverse of `dataclasses.asdict`, for what is read back from JSON."""
    if spec.get("kind") not in KINDS:
        raise ConfigError(
            f"features: kind = {spec.get('kind')!r}: must be one of {', '.join(KINDS)}"
            f"{nearest(str(spec.get('kind')), list(KINDS))}"
        )
    return KINDS[spec["kind"]](**spec)
