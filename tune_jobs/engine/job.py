"""Define a job: a data set, an architecture, a search space, and the budget that they deserve."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from trainables.config import Configuration
from trainables.features import Features

if TYPE_CHECKING:
    from optuna import Trial

Space = Callable[["Trial"], Mapping[str, Any] | None]

Origin = Literal["search", "published", "default"]
"""Names who proposed a configuration."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """Describes a configuration that a report gives for a system, and what it reached.

    Attributes:
        name: The system's number in the report.
        config: Names and values of `TrialConfig` and of the architecture's `Config`; what is
            not named is the architecture's default.
        accuracy: The reported accuracy, a fraction, or `None` where the report gives none.
        metric: Says what the accuracy was measured on: `test`, `val, best`, ...
        assumed: Names in `config` (or left to the default) that the report does not give.
    """

    name: str
    config: Configuration
    accuracy: float | None = None
    metric: str = "test"
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """Declares one job of the catalogue. `name` is the job file's own name.

    Attributes:
        dataset: The data set, as `--dataset` takes it.
        architecture: A module of `trainables.architectures` or `trainables.estimators`,
            `torchvision:NAME` or `timm:NAME`, or a dotted path to one of yours. A space that
            suggests an `architecture` overrules it.
        space: A module-level function (see `searchspaces`).
        trials: The number of configurations that the search tries.
        epochs: A trial's full budget.
        image_size: The side in pixels to which images are resized; `None` keeps their own.
        features: The features that are computed once from every image, for trials to train on;
            `None`: trials train on the images.
        weights: The weights that networks start from, as `--weights` takes them.
        metric: The metric that the search optimises, as `--metric` takes it.
        shape, num_classes: The data set's (H, W, C) and classes, for the images that `--smoke`
            generates.
        published: The first trials, which are always retrained. A job
            without any takes the architecture's default configuration in their place.
    """

    name: str
    dataset: str
    architecture: str
    space: Space
    trials: int
    epochs: int
    image_size: int | None = None
    features: Features | None = None
    weights: str = "scratch"
    metric: str = "accuracy"
    shape: tuple[int, int, int] = (32, 32, 3)
    num_classes: int = 10
    published: tuple[Published, ...] = field(default=())
