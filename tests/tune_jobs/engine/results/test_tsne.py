"""Still pictures of layers: the same each time, true to the layer, and none without one."""

import numpy as np
import pytest

from trainables.trials.embeddings import Embeddings
from trainables.trials.predictions import Predictions
from tune_jobs.engine.results.report.tsne import MOST_CLASSES, MOST_DRAWN, project

from .examples import predict


def answers(labels_N: np.ndarray, *, wrong: int = 0) -> Predictions:
    count = int(labels_N.max()) + 1
    predicted_N = labels_N.copy()
    predicted_N[:wrong] = (labels_N[:wrong] + 1) % count
    return predict(labels_N, predicted_N, count)


def embed(labels_N: np.ndarray, *, apart: float, between: bool = True) -> Embeddings:
    """Classes lie `apart` in the last layer, and are noise in the intermediate one."""
    generator = np.random.default_rng(0)
    noise_ND = generator.normal(size=(len(labels_N), 8)).astype(np.float32)
    centres_KD = apart * generator.normal(size=(int(labels_N.max()) + 1, 8)).astype(np.float32)
    return Embeddings(
        positions_N=np.arange(len(labels_N)),
        last_ND=noise_ND + centres_KD[labels_N],
        intermediate_ND=noise_ND if between else None,
    )


LABELS = np.random.default_rng(1).integers(0, 2, 200)


def test_two_classes_that_a_layer_separates_lie_apart_in_its_picture() -> None:
    between, last = project(embed(LABELS, apart=10), answers(LABELS, wrong=7))
    assert (between.layer, last.layer) == ("intermediate", "last")
    assert 0.4 < between.neighbours < 0.6  # chance
    assert last.neighbours == 1
    assert last.correct_N.sum() == 193
    assert last.points_N2.min() == 0
    assert last.points_N2.max() == 1

    def spread(points_N2: np.ndarray) -> float:
        """Distance between the classes' middles, over the spread within them."""
        first, second = points_N2[LABELS == 0], points_N2[LABELS == 1]
        within = np.sqrt(first.var(axis=0).sum() + second.var(axis=0).sum())
        return float(np.linalg.norm(first.mean(axis=0) - second.mean(axis=0)) / within)

    assert spread(last.points_N2) > 1.5 > 0.5 > spread(between.points_N2)


def test_the_same_images_give_the_same_picture() -> None:
    one, other = (project(embed(LABELS, apart=3), answers(LABELS))[1] for _ in range(2))
    np.testing.assert_array_equal(one.points_N2, other.points_N2)


def test_neighbours_are_those_in_the_layer() -> None:
    embeddings = embed(LABELS, apart=0.7)
    [_, last] = project(embeddings, answers(LABELS))
    vectors_ND = embeddings.last_ND
    distances_NN = np.linalg.norm(vectors_ND[:, None] - vectors_ND[None], axis=2)
    np.fill_diagonal(distances_NN, np.inf)
    nearest = distances_NN.argsort(axis=1)[:, :5]
    assert last.neighbours == pytest.approx((LABELS[nearest] == LABELS[:, None]).mean())


def test_without_a_layer_in_between_there_is_one_picture() -> None:
    [last] = project(embed(LABELS, apart=1, between=False), answers(LABELS))
    assert last.layer == "last"


def test_images_that_cannot_be_told_apart_or_are_too_few_have_none() -> None:
    flat = Embeddings(
        positions_N=np.arange(200),
        last_ND=np.ones((200, 4), dtype=np.float32),
        intermediate_ND=None,
    )
    assert project(flat, answers(LABELS)) == []
    assert project(embed(LABELS[:5], apart=1), answers(LABELS[:5])) == []


def test_many_images_and_classes_are_bounded() -> None:
    labels_N = np.arange(1000) % 40
    [_, last] = project(embed(labels_N, apart=2), answers(labels_N))
    assert len(last.points_N2) <= MOST_DRAWN
    assert set(last.labels_N.tolist()) == set(range(MOST_CLASSES))
