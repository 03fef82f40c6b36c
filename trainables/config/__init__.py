"""What a trial is asked to do: parsed strictly from a flat dict, then frozen. Imports no torch."""

from trainables.config.errors import ConfigError
from trainables.config.parse import (
    complete_config,
    default_config,
    number_entries,
    parse_estimator,
    parse_trial,
)
from trainables.config.runtime import Precision, Runtime
from trainables.config.trial import (
    Configuration,
    EstimatorConfig,
    NormalisationName,
    ScheduleName,
    TrialConfig,
)

__all__ = [
    "ConfigError",
    "Configuration",
    "EstimatorConfig",
    "NormalisationName",
    "Precision",
    "Runtime",
    "ScheduleName",
    "TrialConfig",
    "complete_config",
    "default_config",
    "number_entries",
    "parse_estimator",
    "parse_trial",
]
