"""Build support vector machines on standardised features: linear, or with a Gaussian kernel.

The exact kernel machine costs the square of the number of images to fit, and every support vector
to predict: on one core, with 784 features and ten classes that overlap, 5,000 images take 4 s to
fit and 17 s for 12,000 queries, 10,000 images 19 s and 32 s. Above `MAX_EXACT_IMAGES` the kernel
is therefore approximated from landmarks (Williams & Seeger 2001, "Using the Nystrom Method to
Speed Up Kernel Machines") and a linear machine fitted on that, whose cost does not grow.

Linear machines are fitted by averaged stochastic gradient descent (Polyak & Juditsky 1992). On
48,000 images of 784 correlated pixels it took 15 s, where liblinear's dual solver took 51 s
without coming near the optimum and its primal one more than 400 s; on 500 landmarks 12 s, where
liblinear took 19 s (dual) and 104 s (primal) for the same accuracy within half a point.
"""

import math
from dataclasses import dataclass
from typing import Literal

from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from trainables.config.validation import Count, Positive

MAX_EXACT_IMAGES = 5_000

SGD_UPDATES = 1_000_000
"""The most updates for each class; scikit-learn's guide finds this number enough."""

KERNEL_CACHE_MIB = 500
"""The size of the cache, which holds the whole kernel matrix of `MAX_EXACT_IMAGES` images."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """Defines the kernels as x·z / D and exp(-gamma_scale |x - z|² / D) for D features, so that
    `svm_c` means the same whatever D is. Only `rbf` uses the last two hyperparameters."""

    kernel: Literal["linear", "rbf"] = "rbf"
    svm_c: Positive = 1.0  # scikit-learn's `C`: the weight of errors against the margin
    gamma_scale: Positive = 1.0
    num_landmarks: Count = 500  # rank of the approximated kernel, at most one per image


def build(
    config: Config, *, num_images: int, num_features: int, fraction: float, seed: int
) -> Pipeline:
    match config.kernel:
        case "linear":
            penalty = num_features / (config.svm_c * num_images)
            return make_pipeline(StandardScaler(), _linear_machine(penalty, num_images, seed))
        case "rbf":
            return _kernel_machine(config, num_images, num_features, seed)


def _kernel_machine(config: Config, num_images: int, num_features: int, seed: int) -> Pipeline:
    """Build an exact machine for up to `MAX_EXACT_IMAGES`, one from landmarks beyond."""
    gamma = config.gamma_scale / num_features
    if num_images <= MAX_EXACT_IMAGES:
        # Without `break_ties`, `predict` may name another class than the largest decision value.
        exact = SVC(C=config.svm_c, gamma=gamma, break_ties=True, cache_size=KERNEL_CACHE_MIB)
        return make_pipeline(StandardScaler(), exact)
    return make_pipeline(
        StandardScaler(),
        Nystroem(
            gamma=gamma, n_components=min(config.num_landmarks, num_images), random_state=seed
        ),
        _linear_machine(1 / (config.svm_c * num_images), num_images, seed),
    )


def _linear_machine(penalty: float, num_images: int, seed: int) -> SGDClassifier:
    return SGDClassifier(
        loss="hinge",
        alpha=penalty,
        average=True,
        max_iter=math.ceil(SGD_UPDATES / num_images),
        random_state=seed,
    )
