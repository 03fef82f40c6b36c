"""Reduce features to ranked principal components, of which a trial takes the first ones."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, assert_never

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

NOISE = 1e-6
"""A component whose standard deviation is a smaller fraction of the first one's is rounding error
in float32."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Reduction:
    """Holds what was fitted on the train split: K components of D features, best first."""

    mean_D: FloatArray
    components_KD: FloatArray

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays by name, contiguous, as safetensors stores them."""
        return {"mean_D": self.mean_D, "components_KD": self.components_KD}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> "Reduction":
        """Build a reduction from what `arrays` returned."""
        return cls(mean_D=arrays["mean_D"], components_KD=arrays["components_KD"])


def fit_reduction(
    train_ND: FloatArray,
    labels_N: npt.NDArray[np.int64],
    *,
    components: int,
    ranked_by: Literal["f_classif", "variance"],
    seed: int,
) -> Reduction:
    """Fit the reduction on the train split alone.

    Args:
        components: The most components; there are no more than images or features.
        ranked_by: `f_classif` ranks by the F value of an analysis of variance of the component over
            the classes, `variance` by the component's variance. Ties go by variance; components
            that do not vary come last.
        seed: Seeds the randomised solver (Halko et al. 2011), which scikit-learn takes when the
            features are many.
    """
    from sklearn.decomposition import PCA  # scikit-learn takes a second

    pca = PCA(n_components=min(components, *train_ND.shape), random_state=seed).fit(train_ND)
    components_KD: FloatArray = pca.components_
    match ranked_by:
        case "variance":
            pass  # the order in which they come
        case "f_classif":
            scores_K = _f_values(pca.transform(train_ND).astype(np.float64), labels_N)
            deviations_K = np.sqrt(pca.explained_variance_)
            scores_K[~(deviations_K > NOISE * deviations_K[0])] = -np.inf
            components_KD = components_KD[np.argsort(-scores_K, kind="stable")]
        case _:
            assert_never(ranked_by)
    return Reduction(
        mean_D=np.ascontiguousarray(pca.mean_, dtype=np.float32),
        components_KD=np.ascontiguousarray(components_KD, dtype=np.float32),
    )


def reduce(reduction: Reduction, features_ND: FloatArray) -> FloatArray:
    """Return the components of each image, NK, best first."""
    reduced_NK = (features_ND - reduction.mean_D) @ reduction.components_KD.T
    return reduced_NK.astype(np.float32, copy=False)


def _f_values(
    reduced_NK: npt.NDArray[np.float64], labels_N: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Return one F value per component, -inf where it is undefined."""
    from sklearn.feature_selection import f_classif

    with np.errstate(divide="ignore", invalid="ignore"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Features .* are constant")
        scores_K, _ = f_classif(reduced_NK, labels_N)
    return np.where(np.isnan(scores_K), -np.inf, scores_K)
