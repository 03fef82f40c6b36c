"""Fidelities, figures and files of scikit-learn estimators."""

import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.metrics
import skops.io

from trainables.config import EstimatorConfig
from trainables.estimators import find_estimator
from trainables.training.classical import (
    LEAST_PER_CLASS,
    ClassicalTraining,
    Vectors,
    load_estimator,
    log_loss,
    stratified_order,
)
from trainables.training.scores import LEAST_PROBABILITY

LABELS = np.repeat(np.arange(4, dtype=np.int64), [300, 100, 40, 3])


def make_vectors() -> Vectors:
    generator = np.random.default_rng(0)
    centres_KD = generator.normal(size=(4, 6))
    drawn_ND = centres_KD[LABELS] + 0.3 * generator.normal(size=(len(LABELS), 6))
    features_ND = drawn_ND.astype(np.float32)
    return Vectors(
        train_ND=features_ND,
        train_labels_N=LABELS,
        validation_ND=features_ND[::2],
        validation_labels_N=LABELS[::2],
        num_classes=4,
    )


def make_training(name: str = "knn", **given: Any) -> ClassicalTraining:
    estimator = find_estimator(name)
    own = estimator.Config(**given.pop("own", {}))
    config = EstimatorConfig(architecture=name, epochs=given.pop("epochs", 8), **given.pop("a", {}))
    return ClassicalTraining(config, own, estimator, make_vectors(), seed=0, **given)


def test_every_beginning_of_the_order_is_stratified() -> None:
    order = stratified_order(LABELS, seed=1)
    assert sorted(order) == list(range(len(LABELS)))
    sizes_K = np.bincount(LABELS)
    for count in range(LEAST_PER_CLASS * 4, len(LABELS) + 1):
        counts_K = np.bincount(LABELS[order[:count]], minlength=4)
        assert (counts_K >= LEAST_PER_CLASS).all()
        beyond_K = counts_K[counts_K > LEAST_PER_CLASS] / sizes_K[counts_K > LEAST_PER_CLASS]
        if len(beyond_K):  # those above the least have the same share, to within an image
            assert np.ptp(beyond_K) <= 1 / sizes_K[counts_K > LEAST_PER_CLASS].min()


def test_the_order_depends_on_the_seed() -> None:
    one, same, other = (stratified_order(LABELS, seed=seed).tolist() for seed in (1, 1, 2))
    assert one == same != other


def test_fractions_are_nested() -> None:
    training = make_training()
    chosen = [set(training.train_indices(fraction).tolist()) for fraction in (1e-9, 0.1, 0.5, 1)]
    assert [len(indices) for indices in chosen] == [8, 44, 222, 443]
    assert chosen[0] < chosen[1] < chosen[2] < chosen[3]


def test_a_bound_on_the_images_scales_the_fractions() -> None:
    training = make_training(own={"max_references": 100})
    assert len(training.train_indices(0.5)) == 50
    assert len(training.train_indices(1)) == 100
    *_, last = training.fit()
    assert last.train_fraction == pytest.approx(100 / 443)


def test_rounds_take_all_images() -> None:
    training = make_training("boosted_trees", own={"rounds": 8})
    assert len(training.train_indices(0.1)) == 443
    first, last = training.fit(rungs=(2,))
    assert (first.train_fraction, last.train_fraction) == (0.25, 1)


def test_only_rungs_and_the_last_epoch_are_fitted() -> None:
    training = make_training()
    assert [figures.epoch for figures in training.fit(rungs=(4, 1, 4, 8, 30))] == [1, 4, 8]


def test_figures_are_scikit_learns() -> None:
    training = make_training()
    (figures,) = training.fit()
    vectors = make_vectors()
    probabilities_NK = training.predict_probabilities(vectors.validation_ND)
    expected = sklearn.metrics.log_loss(vectors.validation_labels_N, probabilities_NK)
    assert figures.val_loss == pytest.approx(expected, rel=1e-9)


def test_an_impossible_class_costs_a_bounded_loss() -> None:
    loss = log_loss(np.array([[1.0, 0.0]]), np.array([1]))
    assert loss == pytest.approx(-np.log(LEAST_PROBABILITY))


def test_only_the_first_features_are_used() -> None:
    training = make_training(a={"num_features": 2})
    list(training.fit())
    validation_ND = make_vectors().validation_ND
    expected = training.predict_probabilities(validation_ND)
    changed_ND = validation_ND.copy()
    changed_ND[:, 2:] = 1e6
    assert training.fitted.n_features_in_ == 2
    np.testing.assert_array_equal(training.predict_probabilities(changed_ND), expected)


def test_more_features_than_there_are_is_all_of_them() -> None:
    training = make_training(a={"num_features": 128})
    list(training.fit())
    assert training.fitted.n_features_in_ == 6


def test_nothing_is_fitted_before_fit() -> None:
    with pytest.raises(RuntimeError, match="nothing is fitted yet"):
        make_training().fitted  # noqa: B018


def test_threads_do_not_change_the_numbers() -> None:
    own = {"num_trees": 10}
    ones, twos = (make_training("random_forest", own=own, num_threads=n) for n in (1, 2))
    (one,), (two,) = ones.fit(), twos.fit()
    assert one.val_loss == two.val_loss
    assert twos.fitted.n_jobs is None


class Canary:
    """Leaves a file behind where its pickle is run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.path}",)


class Innocent:
    pass


def run_canary(path: str) -> None:
    Path(path).touch()


@pytest.mark.parametrize("kind", ["reduce", "class", "function", "renamed"])
def test_what_is_not_trusted_is_refused_unrun(kind: str, tmp_path: Path) -> None:
    canary, file = tmp_path / "canary", tmp_path / "model.skops"
    made = {"reduce": Canary(canary), "class": Innocent(), "function": run_canary}
    skops.io.dump(made.get(kind, Innocent()), file)
    if kind == "renamed":
        with zipfile.ZipFile(file) as archive:
            schema = archive.read("schema.json").decode()
        schema = schema.replace("Innocent", "system").replace(f'"{__name__}"', '"os"')
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("schema.json", schema)
    with pytest.raises(ValueError, match=r"types that are not trusted: .*(system|Can|Inn|run_)"):
        load_estimator(file)
    assert not canary.exists()


@pytest.mark.parametrize("kind", ["text", "zip"])
def test_other_files_are_refused(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "model.skops"
    if kind == "text":
        file.write_text("no model")
    else:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("weights", "")
    with pytest.raises(ValueError, match=r"model\.skops: not a skops file"):
        load_estimator(file)


@pytest.mark.parametrize("member", ["schema.json", ".npy"])
def test_a_damaged_file_is_named(member: str, tmp_path: Path) -> None:
    """`predict` answers a `ValueError` by its message, and other errors not at all."""
    file = tmp_path / "model.skops"
    skops.io.dump(np.arange(1000), file)
    with zipfile.ZipFile(file) as archive:
        found = next(info for info in archive.infolist() if info.filename.endswith(member))
    content = bytearray(file.read_bytes())
    content[found.header_offset + 100] ^= 1
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"model\.skops: damaged: .*Bad CRC-32"):
        load_estimator(file)
