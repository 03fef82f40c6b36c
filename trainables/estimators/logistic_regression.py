"""Build multinomial logistic regression on standardised features, fitted by L-BFGS."""

from dataclasses import dataclass

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from trainables.config.validation import Count, Positive


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """Bounds the time by `logistic_max_iter`: a fit that has not converged by then is used as it
    is, early stopping being a regularisation like any other."""

    logistic_c: Positive = 1.0  # scikit-learn's `C`, the inverse of the l2 penalty
    logistic_max_iter: Count = 100


RECIPE = {"logistic_c": 0.01}  # for a thousand features, as a network gives, 1 overfits


def build(
    config: Config, *, num_images: int, num_features: int, fraction: float, seed: int
) -> Pipeline:
    return make_pipeline(
        StandardScaler(),
        LogisticRegression(C=config.logistic_c, max_iter=config.logistic_max_iter),
    )
