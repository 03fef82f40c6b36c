"""Declare the jobs, one small file each; `engine` runs them."""

__version__ = "0.2.0"
