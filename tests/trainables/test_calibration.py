"""Temperature scaling against scikit-learn's own, and where that one does not work."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.svm import SVC, LinearSVC

from trainables.calibration import MAX_LOG_TEMPERATURE, calibrate

FEATURES, LABELS = load_digits(return_X_y=True)
FEATURES /= 16


@pytest.mark.parametrize("num_classes", [2, 3, 10])
@pytest.mark.parametrize(
    "estimator", [LinearSVC(dual=False), SVC(C=0.1, break_ties=True)], ids=["linear", "rbf"]
)
def test_probabilities_are_scikit_learns(estimator: LinearSVC | SVC, num_classes: int) -> None:
    labels_N = LABELS.copy()
    labels_N[::5] = (labels_N[::5] + 1) % 10  # errors, lest the temperature have no optimum
    chosen = np.isin(LABELS, range(num_classes))
    features_ND, labels_N = FEATURES[chosen], labels_N[chosen] % num_classes
    half = len(labels_N) // 2
    estimator.fit(features_ND[:half], labels_N[:half])
    unseen_ND, unseen_N = features_ND[half:], labels_N[half:]
    whole = np.arange(len(unseen_N))
    expected = CalibratedClassifierCV(
        FrozenEstimator(estimator), method="temperature", cv=[(whole, whole)]
    ).fit(unseen_ND, unseen_N)
    found = calibrate(estimator, unseen_ND, unseen_N)
    found_NK = found.predict_proba(unseen_ND)
    np.testing.assert_allclose(found_NK, expected.predict_proba(unseen_ND), rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(found_NK.argmax(axis=1), estimator.predict(unseen_ND))
    np.testing.assert_allclose(found_NK.sum(axis=1), 1)


def test_classes_may_differ_between_the_splits() -> None:
    train, validation = np.isin(LABELS, [1, 4, 8]), np.isin(LABELS, [0, 4, 8])
    estimator = LinearSVC(dual=False).fit(FEATURES[train], LABELS[train])
    calibrated = calibrate(estimator, FEATURES[validation], LABELS[validation])
    assert calibrated.classes_.tolist() == [1, 4, 8]
    assert calibrated.predict_proba(FEATURES[:7]).shape == (7, 3)


def test_no_known_class_leaves_the_values_as_they_are() -> None:
    chosen = LABELS < 3
    estimator = LinearSVC(dual=False).fit(FEATURES[chosen], LABELS[chosen])
    assert calibrate(estimator, FEATURES[~chosen], LABELS[~chosen]).temperature == 1


def test_the_temperature_is_bounded_where_there_are_no_errors() -> None:
    chosen = LABELS < 2
    estimator = LinearSVC(dual=False).fit(FEATURES[chosen], LABELS[chosen])
    calibrated = calibrate(estimator, FEATURES[chosen], LABELS[chosen])
    assert calibrated.temperature >= np.exp(-MAX_LOG_TEMPERATURE)
