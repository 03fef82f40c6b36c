"""Build random forests (Breiman 2001)."""

from dataclasses import dataclass
from typing import Annotated

from sklearn.ensemble import RandomForestClassifier

from trainables.config.validation import Count, Range


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    num_trees: Count = 300
    max_depth: Count | None = None  # `None`: until the leaves are pure
    max_features: Annotated[float, Range(0, 1, open_minimum=True)] | None = None
    """The share of the features that a split chooses from; `None` takes the square root of their
    number."""
    min_samples_leaf: Count = 1


def build(
    config: Config, *, num_images: int, num_features: int, fraction: float, seed: int
) -> RandomForestClassifier:
    return RandomForestClassifier(
        n_estimators=config.num_trees,
        max_depth=config.max_depth,
        max_features=config.max_features or "sqrt",
        min_samples_leaf=config.min_samples_leaf,
        random_state=seed,
    )
