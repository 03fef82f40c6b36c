"""One suite over every file in `trainables/estimators`, on the scanned digits."""

from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits

from trainables.config import ConfigError, EstimatorConfig
from trainables.config.validation import check_fields
from trainables.estimators import can_weigh_classes, find_estimator
from trainables.metrics import EpochMetrics
from trainables.registry import names_in
from trainables.training.classical import (
    ClassicalTraining,
    Vectors,
    load_estimator,
    predict_probabilities,
    save_estimator,
)

VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("boosted_trees", {"rounds": 8}),
    ("knn", {"metric": "euclidean", "weights": "distance"}),
    ("knn", {"metric": "manhattan"}),
    ("knn", {"metric": "cosine"}),
    ("logistic_regression", {}),
    ("random_forest", {"num_trees": 20}),
    ("svm", {"kernel": "linear"}),
    ("svm", {"kernel": "rbf"}),
]

every_variant = pytest.mark.parametrize(
    ("name", "knobs"), VARIANTS, ids=lambda value: value if isinstance(value, str) else str(value)
)


@cache
def digits() -> Vectors:
    features_ND, labels_N = load_digits(return_X_y=True)
    features_ND = (features_ND / 16).astype(np.float32)
    labels_N = labels_N.astype(np.int64)
    features_ND.flags.writeable = False  # as in Ray's object store
    labels_N.flags.writeable = False
    return Vectors(
        train_ND=features_ND[:800],
        train_labels_N=labels_N[:800],
        validation_ND=features_ND[800:1200],
        validation_labels_N=labels_N[800:1200],
        num_classes=10,
    )


def only_train(vectors: Vectors, labels: list[int]) -> Vectors:
    chosen = np.isin(vectors.train_labels_N, labels)
    return replace(
        vectors,
        train_ND=vectors.train_ND[chosen],
        train_labels_N=vectors.train_labels_N[chosen],
    )


def build(
    name: str,
    knobs: dict[str, Any],
    vectors: Vectors | None = None,
    *,
    epochs: int = 1,
    seed: int = 3,
    **given: Any,
) -> ClassicalTraining:
    estimator = find_estimator(name)
    checked, problems = check_fields(estimator.Config, knobs)
    assert not problems
    names = {"num_features", "class_weights"}
    shared = {key: given.pop(key) for key in names & given.keys()}
    return ClassicalTraining(
        EstimatorConfig(architecture=name, epochs=epochs, **shared),
        estimator.Config(**checked),
        estimator,
        vectors or digits(),
        seed=seed,
        **given,
    )


def test_every_estimator_is_in_the_suite() -> None:
    assert sorted({name for name, _ in VARIANTS}) == names_in("estimators")


@every_variant
def test_learns_the_digits(name: str, knobs: dict[str, Any]) -> None:
    training = build(name, knobs, epochs=4)
    first, last = training.fit(rungs=(1,))
    assert (first.epoch, last.epoch) == (1, 4)
    assert first.train_fraction == pytest.approx(0.25)
    assert last.train_fraction == 1
    assert last.val_accuracy > 0.85
    # Nearest neighbours may give the right class no probability, which costs 87 nats.
    assert last.val_loss < 2
    assert last.seconds > 0
    probabilities_NK = training.predict_probabilities(digits().validation_ND)
    assert probabilities_NK.shape == (400, 10)
    assert probabilities_NK.dtype == np.float64
    np.testing.assert_allclose(probabilities_NK.sum(axis=1), 1)
    assert (probabilities_NK >= 0).all()


@every_variant
def test_same_seed_same_numbers(name: str, knobs: dict[str, Any]) -> None:
    def run(seed: int, rungs: tuple[int, ...] = ()) -> list[EpochMetrics]:
        training = build(name, knobs, epochs=4, seed=seed)
        return [replace(metrics, seconds=0.0) for metrics in training.fit(rungs=rungs)]

    assert run(1) == run(1) == run(1, rungs=(2,))[1:]
    assert find_estimator(name).fidelity == "rounds" or run(1, (1,))[0] != run(2, (1,))[0]


@every_variant
def test_a_skops_file_gives_the_same_probabilities(
    name: str, knobs: dict[str, Any], tmp_path: Path
) -> None:
    training = build(name, knobs, num_features=40)
    list(training.fit())
    save_estimator(tmp_path / "model.skops", training.fitted)
    loaded = load_estimator(tmp_path / "model.skops")
    validation_ND = digits().validation_ND
    expected = training.predict_probabilities(validation_ND)
    assert loaded.n_features_in_ == 40
    with threadpool_limits(1):  # as it was trained: ties of neighbours depend on the threads
        found = predict_probabilities(loaded, validation_ND, 10)
    np.testing.assert_array_equal(found, expected)


@every_variant
def test_weights_of_classes_are_balanced_or_refused(
    name: str, knobs: dict[str, Any], tmp_path: Path
) -> None:
    """A rare class is answered more often with them."""
    plain = digits()
    rare = np.flatnonzero(plain.train_labels_N == 8)[3:]
    kept = np.setdiff1d(np.arange(len(plain.train_labels_N)), rare)
    few = replace(
        plain, train_ND=plain.train_ND[kept, :20], train_labels_N=plain.train_labels_N[kept]
    )
    few = replace(few, validation_ND=plain.validation_ND[:, :20])
    weighted = build(name, knobs, few, class_weights="balanced")
    if not can_weigh_classes(name):
        with pytest.raises(ConfigError, match=f"class_weights = 'balanced': {name} has no weights"):
            list(weighted.fit())
        return
    unweighted = build(name, knobs, few)
    for training in (unweighted, weighted):
        list(training.fit())
    said = [t.predict_probabilities(few.validation_ND)[:, 8].mean() for t in (unweighted, weighted)]
    assert said[1] > said[0]
    save_estimator(tmp_path / "model.skops", weighted.fitted)
    load_estimator(tmp_path / "model.skops")


@every_variant
def test_two_classes(name: str, knobs: dict[str, Any]) -> None:
    vectors = only_train(digits(), [0, 1])
    chosen = np.isin(digits().validation_labels_N, [0, 1])
    vectors = replace(
        vectors,
        validation_ND=vectors.validation_ND[chosen],
        validation_labels_N=vectors.validation_labels_N[chosen],
        num_classes=2,
    )
    training = build(name, knobs, vectors)
    (figures,) = training.fit()
    assert figures.val_accuracy > 0.95
    assert training.predict_probabilities(vectors.validation_ND).shape == (chosen.sum(), 2)


@every_variant
def test_classes_that_train_lacks_have_a_column(name: str, knobs: dict[str, Any]) -> None:
    seen = [0, 2, 3, 9]
    training = build(name, knobs, only_train(digits(), seen))
    (figures,) = training.fit()
    chosen = np.isin(digits().validation_labels_N, seen)
    probabilities_NK = training.predict_probabilities(digits().validation_ND)
    assert probabilities_NK.shape == (400, 10)
    assert not np.delete(probabilities_NK, seen, axis=1).any()
    right_N = probabilities_NK.argmax(axis=1) == digits().validation_labels_N
    assert right_N[chosen].mean() > 0.85
    assert np.isfinite(figures.val_loss)


@every_variant
def test_one_image_of_each_class(name: str, knobs: dict[str, Any]) -> None:
    _, firsts = np.unique(digits().train_labels_N, return_index=True)
    vectors = replace(
        digits(),
        train_ND=digits().train_ND[firsts],
        train_labels_N=digits().train_labels_N[firsts],
    )
    training = build(name, {**knobs, **({"k": 15} if name == "knn" else {})}, vectors)
    (figures,) = training.fit()
    assert figures.train_fraction == 1
    assert np.isfinite(figures.val_loss)


@pytest.mark.parametrize("name", names_in("estimators"))
def test_knobs_of_two_estimators_do_not_clash(name: str) -> None:
    own = {f.name for f in fields(find_estimator(name).Config)}
    others = {
        f.name
        for other in names_in("estimators")
        if other != name
        for f in fields(find_estimator(other).Config)
    }
    assert not own & (others | {f.name for f in fields(EstimatorConfig)})


def test_unknown_name_tells_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"architecture = 'svn': .*did you mean 'svm'"):
        find_estimator("svn")


@pytest.mark.parametrize("path", ["no_such_package.trees", "trainables.no_such_module", ".svm"])
def test_dotted_path_that_cannot_be_imported(path: str) -> None:
    with pytest.raises(ConfigError, match=f"architecture = '{path}'"):
        find_estimator(path)


def test_dotted_path_finds_a_module_of_your_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
from dataclasses import dataclass
from sklearn.naive_bayes import GaussianNB

@dataclass(frozen=True)
class Config:
    smoothing: float = 1e-2

def build(config, *, num_images, num_features, fraction, seed):
    return GaussianNB(var_smoothing=config.smoothing)
"""
    (tmp_path / "my_estimators").mkdir()
    (tmp_path / "my_estimators" / "bayes.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    (figures,) = build("my_estimators.bayes", {}).fit()
    assert figures.val_accuracy > 0.7


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("class Config: ...\n", "the module has no build"),
        ("FIDELITY = 'leaves'\nbuild = Config = int\n", "'leaves', but must be one of images, r"),
    ],
)
def test_unfit_modules_are_refused(
    source: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = f"unfit_{len(source)}"
    (tmp_path / package).mkdir()
    (tmp_path / package / "net.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match=complaint):
        find_estimator(f"{package}.net")
