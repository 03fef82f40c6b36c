"""Give class probabilities to estimators that return decision values alone.

The method is temperature scaling (Guo et al. 2017, "On Calibration of Modern Neural Networks",
https://arxiv.org/abs/1706.04599): the probabilities are softmax(values / T), with the T of least
log loss on the validation split. It keeps the order of the values, so no predicted class changes.

scikit-learn's own (`CalibratedClassifierCV(method="temperature")`) gives the same numbers, but
takes the labels for column indices and its classes from the validation labels, so that a class
which either split lacks breaks it; and it predicts the split twice.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, softmax

Matrix = npt.NDArray[np.floating[Any]]

MAX_LOG_TEMPERATURE = 5.0
"""Without a bound, a validation split without errors would make every probability 0 or 1."""


@dataclass(frozen=True, eq=False)
class Calibrated:
    """Adds class probabilities to a fitted estimator.

    The class has no slots, since skops restores an object by its `__dict__`.
    """

    estimator: Any
    temperature: float

    @property
    def classes_(self) -> npt.NDArray[np.int64]:
        classes_K: npt.NDArray[np.int64] = self.estimator.classes_
        return classes_K

    @property
    def n_features_in_(self) -> int:
        return int(self.estimator.n_features_in_)

    def predict_proba(self, features_ND: Matrix) -> npt.NDArray[np.float64]:
        """Return the probabilities, NK, of the classes in `classes_`."""
        values_NK = _decision_values(self.estimator, features_ND)
        probabilities_NK: npt.NDArray[np.float64] = softmax(values_NK / self.temperature, axis=1)
        return probabilities_NK


def calibrate(
    estimator: Any, validation_ND: Matrix, validation_labels_N: npt.NDArray[np.int64]
) -> Calibrated:
    """Wrap a fitted estimator with the temperature that suits images it has not seen.

    Validation images of classes that the estimator does not know are left out.
    """
    known = np.isin(validation_labels_N, estimator.classes_)
    if not known.any():
        return Calibrated(estimator, 1.0)
    values_NK = _decision_values(estimator, validation_ND[known])
    columns_N = np.searchsorted(estimator.classes_, validation_labels_N[known])
    chosen_N = values_NK[np.arange(len(values_NK)), columns_N]

    def log_loss(log_temperature: float) -> float:
        scale = np.exp(-log_temperature)
        return float(np.mean(logsumexp(scale * values_NK, axis=1) - scale * chosen_N))

    bounds = (-MAX_LOG_TEMPERATURE, MAX_LOG_TEMPERATURE)
    best = minimize_scalar(log_loss, bounds=bounds, method="bounded", options={"xatol": 1e-9})
    return Calibrated(estimator, float(np.exp(best.x)))


def _decision_values(estimator: Any, features_ND: Matrix) -> npt.NDArray[np.float64]:
    """Return one column per class, NK; the single value x of two classes stands for (-x, x)."""
    values = np.asarray(estimator.decision_function(features_ND), dtype=np.float64)
    return np.stack([-values, values], axis=1) if values.ndim == 1 else values
