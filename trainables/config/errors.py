"""The one error of a configuration."""


class ConfigError(ValueError):
    """A configuration that breaks a rule; the message names key, value, rule and remedy."""
