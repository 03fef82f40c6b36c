"""Features computed once per data set. A job names them by the specs here, which import nothing."""

from trainables.config.features import Features, Frozen, Hog, Pixels, build_features

__all__ = ["Features", "Frozen", "Hog", "Pixels", "build_features"]
