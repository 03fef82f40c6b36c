"""Jobs: one small declarative file per job; `engine` runs them."""

__version__ = "0.2.0"
