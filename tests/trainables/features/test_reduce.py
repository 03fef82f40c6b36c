"""Components against scikit-learn, and their order."""

from typing import Literal

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.feature_selection import f_classif

from trainables.features.reduce import Reduction, fit_reduction, reduce

FEATURES, LABELS = load_digits(return_X_y=True)
FEATURES = FEATURES.astype(np.float32)
LABELS = LABELS.astype(np.int64)
TRAIN = slice(0, 1000)


def fit(ranked_by: Literal["f_classif", "variance"], components: int = 20) -> Reduction:
    return fit_reduction(
        FEATURES[TRAIN], LABELS[TRAIN], components=components, ranked_by=ranked_by, seed=0
    )


def test_by_variance_it_is_scikit_learns_pca() -> None:
    expected = PCA(n_components=20, svd_solver="full").fit(FEATURES[TRAIN].astype(np.float64))
    expected_NK = expected.transform(FEATURES)
    found_NK = reduce(fit("variance"), FEATURES)
    assert found_NK.dtype == np.float32
    signs_K = np.sign((found_NK * expected_NK).sum(axis=0))
    np.testing.assert_allclose(found_NK * signs_K, expected_NK, atol=2e-2)


def test_by_f_value_the_same_components_fall_in_order() -> None:
    found_NK = reduce(fit("f_classif"), FEATURES)
    by_variance_NK = reduce(fit("variance"), FEATURES)
    assert not np.array_equal(found_NK, by_variance_NK)
    np.testing.assert_allclose(
        np.sort(found_NK.std(axis=0)), np.sort(by_variance_NK.std(axis=0)), rtol=1e-5
    )
    scores_K, _ = f_classif(found_NK[TRAIN].astype(np.float64), LABELS[TRAIN])
    assert (np.diff(scores_K) <= 0).all()


@pytest.mark.parametrize("ranked_by", ["f_classif", "variance"])
def test_components_that_do_not_vary_come_last(
    ranked_by: Literal["f_classif", "variance"],
) -> None:
    generator = np.random.default_rng(0)
    labels_N = np.arange(200) % 2
    features_ND = np.zeros((200, 6), dtype=np.float32)
    features_ND[:, 1] = 10 * generator.normal(size=200)  # varies most, tells nothing
    features_ND[:, 4] = labels_N + 0.1 * generator.normal(size=200)
    reduction = fit_reduction(features_ND, labels_N, components=6, ranked_by=ranked_by, seed=0)
    deviations_K = reduce(reduction, features_ND).std(axis=0)
    assert (deviations_K[:2] > 0.1).all()
    assert (deviations_K[2:] < 1e-5).all()
    assert (deviations_K[0] > deviations_K[1]) == (ranked_by == "variance")


def test_no_variation_at_all() -> None:
    features_ND = np.ones((20, 3), dtype=np.float32)
    labels_N = np.arange(20) % 2
    with np.errstate(invalid="ignore"):
        reduction = fit_reduction(
            features_ND, labels_N, components=3, ranked_by="f_classif", seed=0
        )
    assert not reduce(reduction, features_ND).any()


def test_no_more_components_than_images_or_features() -> None:
    assert fit("variance", components=500).components_KD.shape == (64, 64)
    few = fit_reduction(FEATURES[:12], LABELS[:12], components=500, ranked_by="f_classif", seed=0)
    assert few.components_KD.shape == (12, 64)


def test_the_randomised_solver_is_seeded() -> None:
    features_ND = np.random.default_rng(0).normal(size=(600, 1200)).astype(np.float32)
    labels_N = np.arange(600) % 3
    one, same, other = (
        fit_reduction(features_ND, labels_N, components=5, ranked_by="variance", seed=seed)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.components_KD, same.components_KD)
    assert not np.array_equal(one.components_KD, other.components_KD)


def test_arrays_there_and_back() -> None:
    reduction = fit("f_classif")
    arrays = reduction.arrays()
    assert all(array.flags.c_contiguous and array.dtype == np.float32 for array in arrays.values())
    again = Reduction.from_arrays({name: array.copy() for name, array in arrays.items()})
    np.testing.assert_array_equal(reduce(again, FEATURES), reduce(reduction, FEATURES))
