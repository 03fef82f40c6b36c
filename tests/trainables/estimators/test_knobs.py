"""What each estimator makes of its knobs."""

from typing import Any

import numpy as np
import pytest
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import SGDClassifier
from sklearn.svm import SVC

from trainables.estimators import boosted_trees, knn, random_forest, svm


@pytest.mark.parametrize(
    ("kernel", "num_images", "steps"),
    [
        ("linear", 10, [SGDClassifier]),
        ("linear", svm.MAX_EXACT_IMAGES + 1, [SGDClassifier]),
        ("rbf", svm.MAX_EXACT_IMAGES, [SVC]),
        ("rbf", svm.MAX_EXACT_IMAGES + 1, [Nystroem, SGDClassifier]),
    ],
)
def test_large_kernel_machines_are_approximated(
    kernel: str, num_images: int, steps: list[type]
) -> None:
    config = svm.Config(kernel=kernel, gamma_scale=2.0)  # type: ignore[arg-type]
    pipeline = svm.build(config, num_images=num_images, num_features=50, fraction=1.0, seed=0)
    found = [step for _, step in pipeline.steps[1:]]
    assert [type(step) for step in found] == steps
    if kernel == "rbf":
        assert found[0].gamma == 2.0 / 50


@pytest.mark.parametrize("svm_c", [0.01, 0.1, 1.0])
def test_linear_machine_is_near_the_optimum(svm_c: float) -> None:
    generator = np.random.default_rng(0)
    labels_N = np.arange(300) % 2
    points_ND = generator.normal(size=(300, 5)) + labels_N[:, None]

    def objective(weights_D: Any, intercept: Any) -> float:
        margins_N = (2 * labels_N - 1) * (standard_ND @ weights_D + intercept)
        hinge = np.maximum(0, 1 - margins_N).sum()
        return float(0.5 * (weights_D**2).sum() + svm_c / 5 * hinge)

    config = svm.Config(kernel="linear", svm_c=svm_c)
    pipeline = svm.build(config, num_images=300, num_features=5, fraction=1.0, seed=0)
    pipeline.fit(points_ND, labels_N)
    standard_ND, fitted = pipeline[0].transform(points_ND), pipeline[-1]
    optimum = SVC(kernel="linear", C=svm_c / 5).fit(standard_ND, labels_N)
    least = objective(optimum.coef_[0], optimum.intercept_)
    assert objective(fitted.coef_[0], fitted.intercept_) < 1.05 * least


def test_approximated_kernel_learns_what_the_exact_one_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    generator = np.random.default_rng(0)
    points_ND = generator.normal(size=(600, 2)).astype(np.float32)
    inside_N = (np.linalg.norm(points_ND, axis=1) < 1).astype(np.int64)
    config = svm.Config(svm_c=10.0, num_landmarks=100)
    scores = []
    for bound in (600, 0):
        monkeypatch.setattr(svm, "MAX_EXACT_IMAGES", bound)
        pipeline = svm.build(config, num_images=400, num_features=2, fraction=1.0, seed=0)
        pipeline.fit(points_ND[:400], inside_N[:400])
        scores.append(pipeline.score(points_ND[400:], inside_N[400:]))
    assert min(scores) > 0.95


@pytest.mark.parametrize(("fraction", "rounds"), [(1.0, 30), (0.5, 15), (1e-6, 1)])
def test_rounds_grow_with_the_fidelity(fraction: float, rounds: int) -> None:
    config = boosted_trees.Config(rounds=30)
    built = boosted_trees.build(config, num_images=9, num_features=9, fraction=fraction, seed=0)
    assert built.max_iter == rounds


@pytest.mark.parametrize(("share", "expected"), [(None, "sqrt"), (0.3, 0.3), (1.0, 1.0)])
def test_share_of_features_of_a_split(share: float | None, expected: object) -> None:
    config = random_forest.Config(max_features=share)
    built = random_forest.build(config, num_images=9, num_features=9, fraction=1.0, seed=0)
    assert built.max_features == expected


def test_neighbours_are_at_most_the_references() -> None:
    built = knn.build(knn.Config(k=9), num_images=4, num_features=9, fraction=1.0, seed=0)
    assert built.n_neighbors == 4


@pytest.mark.parametrize(
    ("config", "num_features", "expected"),
    [
        (knn.Config(), 784, None),
        (knn.Config(metric="cosine"), 784, None),
        (knn.Config(metric="manhattan"), 784, 7_653),
        (knn.Config(metric="manhattan"), 10**9, 1),
        (knn.Config(metric="manhattan", max_references=60_000), 784, 60_000),
        (knn.Config(max_references=500), 784, 500),
    ],
)
def test_manhattan_references_are_bounded(
    config: knn.Config, num_features: int, expected: int | None
) -> None:
    assert knn.max_images(config, num_features) == expected
