"""What can be trained, by name: networks (`architectures/`) and estimators (`estimators/`)."""

from pathlib import Path
from typing import Any

from trainables.config import ConfigError, EstimatorConfig, TrialConfig, default_config, nearest

FOLDERS = ("architectures", "estimators")


def is_estimator(name: str) -> bool:
    """Whether `name` is an estimator: a file in `estimators/`, or a module of yours with `build`.

    Raises:
        ConfigError: Nothing has this name.
    """
    if "." in name:
        from trainables.architectures import find_module

        return hasattr(find_module(name), "build")
    root = Path(__file__).parent
    if (root / "estimators" / f"{name}.py").is_file():
        return True
    if not (root / "architectures" / f"{name}.py").is_file():
        known = sorted(p.stem for f in FOLDERS for p in (root / f).glob("[!_]*.py"))
        raise ConfigError(
            f"architecture = {name!r}: must be one of {', '.join(known)}, or the dotted path of a "
            f"module of yours{nearest(name, known)}"
        )
    return False


def default_of(name: str, epochs: int) -> dict[str, Any]:
    """The configuration that the defaults of `name` spell, complete."""
    if is_estimator(name):
        from trainables.estimators import find_estimator

        default = default_config(name, find_estimator(name).Config, EstimatorConfig)
    else:
        from trainables.architectures import find_architecture

        default = default_config(name, find_architecture(name).Config, TrialConfig)
    return {**default, "epochs": epochs}
