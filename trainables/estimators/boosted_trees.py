"""Build gradient-boosted trees on binned features, as LightGBM grows them (Ke et al. 2017)."""

from dataclasses import dataclass
from typing import Annotated

from sklearn.ensemble import HistGradientBoostingClassifier

from trainables.config.validation import Count, NotNegative, Positive, Range

FIDELITY = "rounds"


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    rounds: Count = 100  # each grows one tree per class
    boosting_lr: Positive = 0.1
    boosting_l2: NotNegative = 0.0  # on the values of the leaves
    max_leaf_nodes: Annotated[int, Range(2)] = 31
    boosting_min_leaf: Count = 20  # images


def build(
    config: Config, *, num_images: int, num_features: int, fraction: float, seed: int
) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        max_iter=max(1, round(fraction * config.rounds)),
        learning_rate=config.boosting_lr,
        l2_regularization=config.boosting_l2,
        max_leaf_nodes=config.max_leaf_nodes,
        min_samples_leaf=config.boosting_min_leaf,
        early_stopping=False,
        random_state=seed,
    )
