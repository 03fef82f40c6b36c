"""One file per scikit-learn estimator: `Config`, its own knobs, and `build`.

`build(config, *, num_images, num_features, fraction, seed)` gives an estimator or pipeline, not
fitted yet, for so many train images of so many features. A module may also say:

- `FIDELITY`: what grows from rung to rung, `images` (the default) or `rounds` of boosting;
  `fraction`, in (0, 1], is how much of `rounds` the estimator makes, and all others ignore it;
- `max_images(config, num_features)`: how many train images it can take; `None`: all.

Threads are no concern of `build`: they are set around `fit`, so that an exported estimator does
not carry the number of one machine.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

from trainables.config import ConfigError
from trainables.registry import find_module

Fidelity = Literal["images", "rounds"]


class Build(Protocol):
    def __call__(
        self, config: Any, *, num_images: int, num_features: int, fraction: float, seed: int
    ) -> Any: ...


@dataclass(frozen=True, slots=True)
class Estimator:
    name: str
    Config: type[Any]
    build: Build
    fidelity: Fidelity
    max_images: Callable[[Any, int], int | None]


def find_estimator(name: str) -> Estimator:
    """The estimator of a module here, or of a dotted path that can be imported (`my_pkg.trees`).

    Raises:
        ConfigError: There is no such module, it lacks `Config` or `build`, or its `FIDELITY` is
            unknown.
    """
    module = find_module(name, "estimators", ("Config", "build"))
    fidelity: Any = getattr(module, "FIDELITY", "images")
    if fidelity not in get_args(Fidelity):
        raise ConfigError(
            f"architecture = {name!r}: its FIDELITY is {fidelity!r}, but must be one of "
            f"{', '.join(get_args(Fidelity))}"
        )
    max_images = getattr(module, "max_images", _no_limit)
    return Estimator(name, module.Config, module.build, fidelity, max_images)


def _no_limit(config: Any, num_features: int) -> None:
    return None
