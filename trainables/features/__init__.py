"""Compute features once per data set; a job names them by specs, whose import costs no time."""

from trainables.config.features import Features, Frozen, Hog, Pixels, build_features

__all__ = ["Features", "Frozen", "Hog", "Pixels", "build_features"]
