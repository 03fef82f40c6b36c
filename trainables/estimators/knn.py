"""Build k nearest neighbours by brute force: no index helps in more than some twenty dimensions.

On one core, 48,000 references of 784 features against 12,000 queries take 20 s by Euclidean and
15 s by cosine distance, both matrix products, and 260 s by Manhattan distance, which is not.
"""

from dataclasses import dataclass
from typing import Literal

from sklearn.neighbors import KNeighborsClassifier

from trainables.config.validation import Count

MAX_MANHATTAN_NUMBERS = 6_000_000
"""The most features of all references together: 12,000 queries then take about 50 s."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    k: Count = 5  # at most the number of references is used
    metric: Literal["euclidean", "manhattan", "cosine"] = "euclidean"
    weights: Literal["uniform", "distance"] = "uniform"  # of a neighbour's vote
    max_references: Count | None = None
    """The number of train images, stratified, that are searched. `None` takes all of them, but for
    Manhattan distance as many as `MAX_MANHATTAN_NUMBERS` allows: 7,653 of 784 features."""


def max_images(config: Config, num_features: int) -> int | None:
    if config.max_references is None and config.metric == "manhattan":
        return max(1, MAX_MANHATTAN_NUMBERS // num_features)
    return config.max_references


def build(
    config: Config, *, num_images: int, num_features: int, fraction: float, seed: int
) -> KNeighborsClassifier:
    return KNeighborsClassifier(
        n_neighbors=min(config.k, num_images),
        metric=config.metric,
        weights=config.weights,
        algorithm="brute",
    )
