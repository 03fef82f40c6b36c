"""What can be trained, by name: networks (`architectures/`) and estimators (`estimators/`)."""

from typing import Any

from trainables.config import EstimatorConfig, TrialConfig, default_config
from trainables.modules import import_dotted, names_in, unknown


def is_estimator(name: str) -> bool:
    """Whether `name` is an estimator: a file in `estimators/`, or a module of yours with `build`.

    Raises:
        ConfigError: Nothing has this name.
    """
    if "." in name:
        return hasattr(import_dotted(name), "build")
    if name in names_in("estimators"):
        return True
    if name not in names_in("architectures"):
        raise unknown(name)
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
