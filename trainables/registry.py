"""Find what can be trained by its name: a file in `architectures/` or `estimators/`, a network of a
library (`torchvision:NAME`, `timm:NAME`), or a module of the user's own by its dotted path."""

import importlib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from trainables.config import (
    ConfigError,
    Configuration,
    EstimatorConfig,
    TrialConfig,
    complete_config,
    default_config,
    parse_estimator,
    parse_trial,
)
from trainables.config.validation import nearest

LIBRARIES = ("torchvision", "timm")
"""Modules of `architectures/_libraries`, which find a network by `LIBRARY:NAME`."""


def names_in(folder: str) -> list[str]:
    """List the public modules of `trainables/<folder>`, sorted."""
    return sorted(path.stem for path in (Path(__file__).parent / folder).glob("[!_]*.py"))


def find_definition(name: str, folder: str, parts: Sequence[str]) -> Any:
    """Import what `name` stands for: a module, or a library's network with a module's attributes.

    Args:
        name: The name of a file in `trainables/<folder>`, `LIBRARY:NAME`, or a dotted path that can
            be imported.
        folder: `architectures` or `estimators`.
        parts: The names that a module must define.

    Raises:
        ConfigError: There is nothing of this name, or it lacks a part.
    """
    if ":" in name:
        library, _, network = name.partition(":")
        return _import_library(name, library).find(network)
    module = import_dotted(name) if "." in name else _import_own(name, folder)
    missing = [part for part in parts if not hasattr(module, part)]
    if missing:
        raise ConfigError(f"architecture = {name!r}: the module has no {' and no '.join(missing)}")
    return module


def is_estimator(name: str) -> bool:
    """Return whether `name` is an estimator: a file in `estimators/`, or a user's with `build`.

    Raises:
        ConfigError: Nothing has this name.
    """
    if ":" in name:
        return False
    if "." in name:
        return hasattr(import_dotted(name), "build")
    if name in names_in("estimators"):
        return True
    if name not in names_in("architectures"):
        raise unknown(name)
    return False


def default_of(name: str, epochs: int) -> dict[str, Any]:
    """Return the complete configuration that holds the defaults of `name`.

    Raises:
        ConfigError: Nothing has this name, or it has no `Config`.
    """
    base = EstimatorConfig if is_estimator(name) else TrialConfig
    return {**default_config(name, _config_of(name), base), "epochs": epochs}


def recipe_of(default: Configuration) -> dict[str, Any]:
    """Lay over a default configuration what an expert would run first: its architecture's `RECIPE`,
    where the module has one."""
    name = default["architecture"]
    module = find_definition(name, "estimators" if is_estimator(name) else "architectures", ())
    return complete_config(default, getattr(module, "RECIPE", {}))


def check_config(flat: Configuration) -> None:
    """Raise a `ConfigError` for a complete configuration that breaks a rule of its fields."""
    name = flat["architecture"]
    parse = parse_estimator if is_estimator(name) else parse_trial
    parse(flat, _config_of(name))


def _config_of(name: str) -> type[Any]:
    folder = "estimators" if is_estimator(name) else "architectures"
    config: type[Any] = find_definition(name, folder, ("Config",)).Config
    return config


def import_dotted(name: str) -> ModuleType:
    """Import the module at a dotted path (`my_pkg.net`).

    Raises:
        ConfigError: There is no such module.
    """
    if not all(part.isidentifier() for part in name.split(".")):
        raise unknown(name)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ConfigError(f"architecture = {name!r}: {error}; is it on PYTHONPATH?") from error


def unknown(name: str) -> ConfigError:
    known = sorted(names_in("architectures") + names_in("estimators"))
    return ConfigError(
        f"architecture = {name!r}: must be one of {', '.join(known)}, a library's network "
        f"({' or '.join(f'{library}:NAME' for library in LIBRARIES)}), or the dotted path of a "
        f"module of yours{nearest(name, known)}"
    )


def _import_own(name: str, folder: str) -> ModuleType:
    if name not in names_in(folder):
        raise unknown(name)
    return importlib.import_module(f"trainables.{folder}.{name}")


def _import_library(name: str, library: str) -> ModuleType:
    if library not in LIBRARIES:
        raise unknown(name)
    return importlib.import_module(f"trainables.architectures._libraries.{library}")
