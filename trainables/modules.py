"""Modules by name: a file of one of our folders, or the dotted path of a user's own."""

import importlib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from trainables.config import ConfigError
from trainables.fields import nearest


def names_in(folder: str) -> list[str]:
    """The public modules of `trainables/<folder>`, sorted."""
    return sorted(path.stem for path in (Path(__file__).parent / folder).glob("[!_]*.py"))


def find_module(name: str, folder: str, parts: Sequence[str]) -> ModuleType:
    """The module that `name` stands for.

    Args:
        name: Of a file in `trainables/<folder>`, or a dotted path that can be imported.
        folder: `architectures` or `estimators`.
        parts: What it must define.

    Raises:
        ConfigError: There is no such module, or it lacks a part.
    """
    module = import_dotted(name) if "." in name else _import_own(name, folder)
    missing = [part for part in parts if not hasattr(module, part)]
    if missing:
        raise ConfigError(f"architecture = {name!r}: the module has no {' and no '.join(missing)}")
    return module


def import_dotted(name: str) -> ModuleType:
    """The module at a dotted path (`my_pkg.net`); raises `ConfigError` where there is none."""
    if not all(part.isidentifier() for part in name.split(".")):
        raise unknown(name)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ConfigError(f"architecture = {name!r}: {error}; is it on PYTHONPATH?") from error


def unknown(name: str) -> ConfigError:
    known = sorted(names_in("architectures") + names_in("estimators"))
    return ConfigError(
        f"architecture = {name!r}: must be one of {', '.join(known)}, or the dotted path of a "
        f"module of yours{nearest(name, known)}"
    )


def _import_own(name: str, folder: str) -> ModuleType:
    if name not in names_in(folder):
        raise unknown(name)
    return importlib.import_module(f"trainables.{folder}.{name}")
