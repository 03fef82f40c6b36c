"""Define a job: a data set, an architecture, a search space, and the budget that they deserve."""

from dataclasses import dataclass, field
from typing import Literal

from searchspaces.joined import JoinedSpace, Space
from trainables.config import Configuration
from trainables.features import Features

__all__ = ["Job", "Origin", "Published", "Space"]

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
        space: A module-level function (see `searchspaces`), or a `JoinedSpace` of several.
        trials: The number of configurations that the search tries.
        epochs: A trial's full budget.
        image_size: The side in pixels to which images are resized, as `--image-size` takes it;
            `None` keeps their own.
        features: The features that are computed once from every image, for trials to train on;
            `None`: trials train on the images.
        weights: The weights that networks start from, as `--weights` takes them.
        backbone: The architecture of a joined space that `weights` are of. Without them it is left
            out, and so are those on frozen features.
        metric: The metric that the search optimises, as `--metric` takes it.
        shape, num_classes: The data set's (H, W, C) and classes, for the images that `--smoke`
            generates.
        published: The first trials, which are always retrained. A job
            without any takes the default configuration of its architecture, or of each of a
            joined space, in their place.
    """

    name: str
    dataset: str
    architecture: str
    space: Space
    trials: int
    epochs: int
    image_size: int | Literal["auto"] | None = None
    features: Features | None = None
    weights: str = "scratch"
    backbone: str | None = None
    metric: str = "accuracy"
    shape: tuple[int, int, int] = (32, 32, 3)
    num_classes: int = 10
    published: tuple[Published, ...] = field(default=())

    @property
    def architectures(self) -> tuple[str, ...]:
        """Return the architectures of a joined space, the cheapest first, else the job's own."""
        if isinstance(self.space, JoinedSpace):
            return tuple(self.space.spaces)
        return (self.architecture,)
