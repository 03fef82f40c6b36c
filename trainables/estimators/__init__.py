"""Define scikit-learn's estimators, one file each: `Config` has the hyperparameters for `build`.

`build(config, *, num_images, num_features, fraction, seed)` returns an estimator or pipeline, not
fitted yet, for `num_images` train images of `num_features` features. A file may also define:

- `FIDELITY`: what grows from rung to rung, `images` (the default) or `rounds` of boosting;
  `fraction`, in (0, 1], is how much of `rounds` the estimator makes, and all others ignore it;
- `max_images(config, num_features)`: the most train images that it can take; `None`: all.

Threads are no concern of `build`: they are set around `fit`, so that an exported estimator does
not carry the number of one machine.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

from trainables.config import ConfigError
from trainables.registry import find_definition

Fidelity = Literal["images", "rounds"]


class Build(Protocol):
    """Builds an estimator that is not fitted yet, as this package's docstring says."""

    def __call__(
        self, config: Any, *, num_images: int, num_features: int, fraction: float, seed: int
    ) -> Any: ...


@dataclass(frozen=True, slots=True)
class Estimator:
    """Holds what an estimator's module defines."""

    name: str
    Config: type[Any]
    build: Build
    fidelity: Fidelity
    max_images: Callable[[Any, int], int | None]


def find_estimator(name: str) -> Estimator:
    """Find the estimator in a file of this folder, or at a dotted path (`my_pkg.trees`).

    Raises:
        ConfigError: There is no such module, it lacks `Config` or `build`, or its `FIDELITY` is
            unknown.
    """
    module = find_definition(name, "estimators", ("Config", "build"))
    fidelity: Any = getattr(module, "FIDELITY", "images")
    if fidelity not in get_args(Fidelity):
        raise ConfigError(
            f"architecture = {name!r}: its FIDELITY is {fidelity!r}, but must be one of "
            f"{', '.join(get_args(Fidelity))}"
        )
    max_images = getattr(module, "max_images", _no_limit)
    return Estimator(name, module.Config, module.build, fidelity, max_images)


def weigh_classes(estimator: Any) -> bool:
    """Have an estimator, or the parts of a pipeline, weigh classes by scikit-learn's `balanced`;
    return whether any can."""
    names = [n for n in estimator.get_params() if n.rpartition("__")[2] == "class_weight"]
    estimator.set_params(**dict.fromkeys(names, "balanced"))
    return bool(names)


def can_weigh_classes(name: str) -> bool:
    """Return whether an estimator knows weights of classes, which its defaults tell.

    Raises:
        ConfigError: There is no such estimator.
    """
    estimator = find_estimator(name)
    built = estimator.build(
        estimator.Config(), num_images=100, num_features=10, fraction=1.0, seed=0
    )
    return weigh_classes(built)


def _no_limit(config: Any, num_features: int) -> None:
    return None
