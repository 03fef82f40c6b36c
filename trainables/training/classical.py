"""scikit-learn estimators are trained under a network's contract: epochs, metrics, one export.

An estimator is fitted anew at each epoch that a scheduler looks at, on a growing share of the
train images or of its boosting rounds, and at the last epoch on all of them.
"""

import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import joblib
import numpy as np
import numpy.typing as npt
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from trainables.calibration import calibrate
from trainables.config import ConfigError, EstimatorConfig
from trainables.estimators import Estimator, weigh_classes
from trainables.metrics import EpochMetrics
from trainables.training.scores import LEAST_PROBABILITY, evaluate

FloatArray = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Probabilities = npt.NDArray[np.float64]

LEAST_PER_CLASS = 2
"""Every rung has at least so many images of each class, where the train split has them."""

CHUNK_MIB = 128
"""One chunk of distances may take so much memory."""

TRUSTED_TYPES = (
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
    "trainables.calibration.Calibrated",
)
"""`load_estimator` builds these types besides those that skops trusts by default."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Vectors:
    """Holds features and labels, 0 to `num_classes` - 1, of the two splits that a search sees."""

    train_ND: FloatArray
    train_labels_N: Integers
    validation_ND: FloatArray
    validation_labels_N: Integers
    num_classes: int


class ClassicalTraining:
    """Holds an estimator, its data, and what was fitted last.

    Args:
        own: The estimator's own knobs, a `Config` of its module.
        num_threads: How many threads fit and predict.
    """

    def __init__(
        self,
        config: EstimatorConfig,
        own: Any,
        estimator: Estimator,
        vectors: Vectors,
        *,
        seed: int,
        num_threads: int = 1,
    ) -> None:
        self.config = config
        self._own = own
        self._estimator = estimator
        self._vectors = vectors
        self._num_threads = num_threads
        order_seed, build_seed = np.random.SeedSequence(seed).generate_state(2)
        self._build_seed = int(build_seed)
        self._order = stratified_order(vectors.train_labels_N, seed=int(order_seed))
        self._num_features = vectors.train_ND[:1, : config.num_features].shape[1]
        self._fitted: Any = None

    @property
    def fitted(self) -> Any:
        """Return the latest fit, which after the last epoch is what to export.

        It gives probabilities of its `classes_` and takes its `n_features_in_` first features.

        Raises:
            RuntimeError: Nothing is fitted yet.
        """
        if self._fitted is None:
            raise RuntimeError("nothing is fitted yet: iterate over fit()")
        return self._fitted

    def fit(self, *, rungs: Sequence[int] = (), after: int = 0) -> Iterator[EpochMetrics]:
        """Fit at each rung and at the last epoch, beyond epoch `after`, and yield the metrics."""
        last = self.config.epochs
        for epoch in (*sorted({e for e in rungs if e < last}), last):
            if epoch > after:
                yield self._fit_and_evaluate(epoch)

    def _fit_and_evaluate(self, epoch: int) -> EpochMetrics:
        started = time.perf_counter()
        train_fraction = self._fit(epoch / self.config.epochs)
        labels_N = self._vectors.validation_labels_N
        probabilities_NK = self.predict_probabilities(self._vectors.validation_ND)
        validation = evaluate(
            probabilities_NK,
            labels_N,
            probabilities_NK.argmax(axis=1),
            loss=log_loss(probabilities_NK, labels_N),
        )
        return EpochMetrics(
            epoch=epoch,
            **validation.on_validation(),
            train_fraction=train_fraction,
            seconds=time.perf_counter() - started,
        )

    def predict_probabilities(self, features_ND: FloatArray) -> Probabilities:
        """Predict the probabilities of all classes, NK, by the latest fit."""
        with threadpool_limits(self._num_threads):
            return predict_probabilities(self.fitted, features_ND, self._vectors.num_classes)

    def train_indices(self, fraction: float) -> Integers:
        """Choose the images of a fidelity, sorted; a higher one has those of a lower one too."""
        limit = self._estimator.max_images(self._own, self._num_features)
        available = min(len(self._order), limit or len(self._order))
        if self._estimator.fidelity == "rounds":
            return np.sort(self._order[:available])
        sizes_K = np.bincount(self._vectors.train_labels_N)
        least = int(np.minimum(sizes_K, LEAST_PER_CLASS).sum())
        return np.sort(self._order[: max(round(fraction * available), least)])

    def _fit(self, fraction: float) -> float:
        """Fit at a fidelity -> the share of images or rounds that it took."""
        vectors = self._vectors
        chosen = self.train_indices(fraction)
        estimator = self._estimator.build(
            self._own,
            num_images=len(chosen),
            num_features=self._num_features,
            fraction=fraction,
            seed=self._build_seed,
        )
        if self.config.class_weights == "balanced" and not weigh_classes(estimator):
            raise ConfigError(
                f"class_weights = 'balanced': {self.config.architecture} has no weights of "
                "classes: leave it 'none'"
            )
        train_ND = vectors.train_ND[chosen, : self._num_features]
        with _fitting(self._num_threads):
            estimator.fit(train_ND, vectors.train_labels_N[chosen])
            if not hasattr(estimator, "predict_proba"):
                validation_ND = vectors.validation_ND[:, : self._num_features]
                estimator = calibrate(estimator, validation_ND, vectors.validation_labels_N)
        self._fitted = estimator
        rounds = self._estimator.fidelity == "rounds"
        return fraction if rounds else len(chosen) / len(self._order)


def predict_probabilities(
    fitted: Any, features_ND: npt.NDArray[Any], num_classes: int
) -> Probabilities:
    """Predict the probabilities of all classes, NK; classes that were never seen have 0.

    Args:
        fitted: An estimator with `predict_proba`, `classes_` and `n_features_in_`.
        features_ND: Ranked features, of which the estimator takes the first ones.
    """
    with config_context(working_memory=CHUNK_MIB):
        known = fitted.predict_proba(features_ND[:, : fitted.n_features_in_])
    probabilities_NK = np.zeros((len(features_ND), num_classes))
    probabilities_NK[:, fitted.classes_] = known
    probabilities_NK /= probabilities_NK.sum(axis=1, keepdims=True)  # float32's are not exact
    return probabilities_NK


def log_loss(probabilities_NK: Probabilities, labels_N: Integers) -> float:
    """Return the mean negative log likelihood, in nats.

    A probability counts as `LEAST_PROBABILITY` at least, on validation as on test.
    """
    chosen_N = probabilities_NK[np.arange(len(labels_N)), labels_N]
    return float(-np.mean(np.log(np.maximum(chosen_N, LEAST_PROBABILITY))))


def stratified_order(labels_N: Integers, *, seed: int) -> Integers:
    """Draw a permutation of the indices whose every beginning is stratified.

    First comes one image of each class, then a second, up to `LEAST_PER_CLASS`; beyond that all
    classes have the same share of their images, to within an image.
    """
    drawn = np.random.default_rng(seed).permutation(len(labels_N))
    by_class = drawn[np.argsort(labels_N[drawn], kind="stable")]
    _, starts_K, sizes_K = np.unique(labels_N[by_class], return_index=True, return_counts=True)
    ranks_N = np.arange(len(labels_N)) - np.repeat(starts_K, sizes_K)
    places_N = (ranks_N + 0.5) / np.repeat(sizes_K, sizes_K)
    first = ranks_N < LEAST_PER_CLASS
    places_N[first] = ranks_N[first] - LEAST_PER_CLASS
    order_N: Integers = by_class[np.argsort(places_N, kind="stable")]
    return order_N


def save_estimator(path: Path, fitted: Any) -> None:
    """Write `fitted` in the skops format."""
    from skops import io

    io.dump(fitted, path)


def load_estimator(path: Path) -> Any:
    """Load a skops file; nothing is unpickled, and no code of the file's choice runs.

    Raises:
        ValueError: It is no skops file, is damaged, or holds types that are neither trusted by
            skops nor in `TRUSTED_TYPES`; the message names them.
    """
    from skops import io

    try:
        with ZipFile(path) as archive:
            archive.getinfo("schema.json")
    except (BadZipFile, KeyError) as error:
        raise ValueError(f"{path}: not a skops file") from error
    try:
        refused = sorted(set(io.get_untrusted_types(file=path)) - set(TRUSTED_TYPES))
        fitted = None if refused else io.load(path, trusted=list(TRUSTED_TYPES))
    except Exception as error:  # damaged bytes raise anything
        raise ValueError(f"{path}: damaged: {error!r}") from error
    if refused:
        raise ValueError(f"{path}: holds types that are not trusted: {', '.join(refused)}")
    return fitted


@contextmanager
def _fitting(num_threads: int) -> Iterator[None]:
    """Use so many threads, and do not warn of iterations that ran out: their number is a knob."""
    threads = joblib.parallel_config(backend="threading", n_jobs=num_threads)
    with threads, threadpool_limits(num_threads), warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=ConvergenceWarning)
        yield
