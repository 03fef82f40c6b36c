"""Join the spaces of several architectures into one, in which each keeps names of its own."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from optuna import Trial

Space = Callable[["Trial"], Mapping[str, Any] | None]

CLASS_WEIGHTS = ("none", "balanced")


@dataclass(frozen=True, slots=True)
class JoinedSpace:
    """Suggests an architecture, then what the architecture's own space suggests.

    The names of a space begin with its architecture: `cnn.lr` beside `mlp.lr`, so that no name has
    two meanings for a sampler. What a space returns keeps its plain names.

    Attributes:
        spaces: The space of each architecture, the cheapest to train first.
        max_image_sizes: The side in pixels to which an architecture has larger images reduced.
        weighing: The architectures that choose whether all classes count the same.
    """

    spaces: Mapping[str, Space]
    max_image_sizes: Mapping[str, int] = field(default_factory=dict)
    weighing: Collection[str] = ()

    def __call__(self, trial: "Trial") -> Mapping[str, Any]:
        architecture = trial.suggest_categorical("architecture", tuple(self.spaces))
        own = cast("Trial", _OwnNames(trial, architecture))
        fixed = dict(self.spaces[architecture](own) or {})
        if architecture in self.weighing:
            own.suggest_categorical("class_weights", CLASS_WEIGHTS)
        if architecture in self.max_image_sizes:
            fixed["max_image_size"] = self.max_image_sizes[architecture]
        return fixed

    def choosing(self, architectures: Collection[str]) -> "JoinedSpace":
        """Return the space of these architectures alone, in the order of this one."""
        chosen = {name: space for name, space in self.spaces.items() if name in architectures}
        sizes = {name: size for name, size in self.max_image_sizes.items() if name in chosen}
        return replace(self, spaces=chosen, max_image_sizes=sizes)


class _OwnNames:
    """Shows a trial to the space of one architecture, which knows its own names alone."""

    def __init__(self, trial: "Trial", architecture: str) -> None:
        self._trial = trial
        self._prefix = f"{architecture}."

    def suggest_float(self, name: str, *args: Any, **kwargs: Any) -> float:
        return self._trial.suggest_float(self._prefix + name, *args, **kwargs)

    def suggest_int(self, name: str, *args: Any, **kwargs: Any) -> int:
        return self._trial.suggest_int(self._prefix + name, *args, **kwargs)

    def suggest_categorical(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return self._trial.suggest_categorical(self._prefix + name, *args, **kwargs)

    @property
    def params(self) -> dict[str, Any]:
        """Return what was suggested to this space so far."""
        return {
            plain_name(name): value
            for name, value in self._trial.params.items()
            if name.startswith(self._prefix)
        }

    def __getattr__(self, name: str) -> Any:
        return getattr(self._trial, name)


def plain_name(name: str) -> str:
    """Return the name that a configuration has for a name of any space: `cnn.lr` -> `lr`."""
    return name.rpartition(".")[2]


def joined_names(config: Mapping[str, Any]) -> dict[str, Any]:
    """Spell a configuration, which names its architecture, as a joined space does."""
    return {f"{config['architecture']}.{name}": value for name, value in config.items()}
