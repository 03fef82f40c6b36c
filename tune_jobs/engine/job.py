"""What a job is: a data set, an architecture, a search space, and the budget they deserve."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from trainables.config import Configuration
from trainables.features import Features

if TYPE_CHECKING:
    from optuna import Trial

Space = Callable[["Trial"], Mapping[str, Any] | None]

Origin = Literal["search", "published", "default"]
"""Who proposed a configuration."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """A configuration that a report gives for this system, and what it reached.

    Attributes:
        name: The system's number in the report.
        config: Names and values of `TrialConfig` and of the architecture's `Config`; what is
            not named is the architecture's default.
        accuracy: The reported figure, a fraction, or `None` where the report gives none.
        metric: What the figure is: `test`, `val, best`, ...
        assumed: Names in `config` (or left to the default) that the report does not give.
    """

    name: str
    config: Configuration
    accuracy: float | None = None
    metric: str = "test"
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One line of the catalogue. `name` is the job file's own name.

    Attributes:
        dataset: As `--dataset` takes it.
        architecture: A module of `trainables.architectures` or `trainables.estimators`, or a dotted
            path to one of yours. A space that suggests an `architecture` overrules it.
        space: A module-level function (see `searchspaces`).
        trials: Number of configurations tried.
        epochs: A trial's full budget.
        image_size: Side in pixels to which images are resized; `None` keeps their own.
        features: What is computed from every image once, for trials that train on it in place of
            the images; `None`: they train on the images.
        weights: What networks start from, as `--weights` takes it.
        metric: What the search optimises, as `--metric` takes it.
        shape: (H, W, C) of the data set's images and `num_classes`: those of `--smoke`'s images.
        published: They are the first trials, never stopped early, always retrained. A job
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
