"""One file per architecture: `Config`, its own knobs, and `Model`.

`Model(config, *, in_channels, image_size, num_classes)` has `features(images_NCHW) ->
features_ND`, a submodule `classifier`, and `forward = classifier(features)`.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from trainables.config import ConfigError, nearest


@dataclass(frozen=True, slots=True)
class Architecture:
    name: str
    Config: type[Any]
    Model: Callable[..., nn.Module]


def find_architecture(name: str) -> Architecture:
    """The architecture of a module here, or of a dotted path that can be imported (`my_pkg.net`).

    Raises:
        ConfigError: There is no such module, or it lacks `Config` or `Model`.
    """
    known = sorted(p.stem for p in Path(__file__).parent.glob("[!_]*.py"))
    if "." not in name and name not in known:
        raise ConfigError(
            f"architecture = {name!r}: must be one of {', '.join(known)}, or the dotted path of a "
            f"module of yours{nearest(name, known)}"
        )
    path = name if "." in name else f"{__name__}.{name}"
    try:
        module = importlib.import_module(path)
    except ModuleNotFoundError as error:
        raise ConfigError(f"architecture = {name!r}: {error}; is it on PYTHONPATH?") from error
    missing = [part for part in ("Config", "Model") if not hasattr(module, part)]
    if missing:
        raise ConfigError(f"architecture = {name!r}: the module has no {' and no '.join(missing)}")
    return Architecture(name, module.Config, module.Model)
