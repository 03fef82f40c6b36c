"""A trial's configuration is parsed strictly from a flat dict into frozen dataclasses.

This package imports no torch, so that a driver can use it without waiting seconds.
"""

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
    ClassWeights,
    Configuration,
    EstimatorConfig,
    KeptEpoch,
    NormalisationName,
    ScheduleName,
    TrialConfig,
)

__all__ = [
    "ClassWeights",
    "ConfigError",
    "Configuration",
    "EstimatorConfig",
    "KeptEpoch",
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
