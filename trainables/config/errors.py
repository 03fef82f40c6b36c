"""The error that every wrong configuration raises."""


class ConfigError(ValueError):
    """A configuration breaks a rule; the message names key, value, rule and remedy."""
