"""A still picture of what a layer makes of test images: t-SNE (van der Maaten and Hinton, 2008).

Images of a class should lie together, and those of two classes apart: how well they do is also said
in a number, taken in the layer itself, since distances in the picture are distorted.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from trainables.trials.embeddings import Embeddings, choose_positions
from trainables.trials.predictions import Predictions

MOST_DRAWN = 500
MOST_CLASSES = 20
PERPLEXITY = 30.0
NUM_STEPS = 500  # a second on one core
NUM_NEIGHBOURS = 5


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Projection:
    """A layer's view of images of the first classes.

    Attributes:
        points_N2: In [0, 1].
        correct_N: Whether the model is right.
        neighbours: Share of an image's nearest neighbours, in the layer, that are of its class.
    """

    layer: str
    points_N2: npt.NDArray[np.float64]
    labels_N: npt.NDArray[np.int64]
    correct_N: npt.NDArray[np.bool_]
    neighbours: float

    def __str__(self) -> str:
        return (
            f"{len(self.points_N2)} test images by the {self.layer} layer: of the "
            f"{NUM_NEIGHBOURS} nearest neighbours of an image there, "
            f"{self.neighbours:.0%} are of its class"
        )


def project(embeddings: Embeddings, predictions: Predictions) -> list[Projection]:
    """One projection per layer, the same ones each time; none of a layer to which all images look
    the same, nor of images too few to have neighbours."""
    labels_N = predictions.labels_N[embeddings.positions_N]
    chosen = np.flatnonzero(labels_N < MOST_CLASSES)
    chosen = chosen[choose_positions(len(chosen), MOST_DRAWN)]
    if len(chosen) <= NUM_NEIGHBOURS:
        return []
    correct_N = predictions.correct_N[embeddings.positions_N[chosen]]
    return [
        Projection(
            layer=layer,
            points_N2=_tsne(vectors_ND[chosen]),
            labels_N=labels_N[chosen],
            correct_N=correct_N,
            neighbours=_share_of_neighbours(vectors_ND[chosen], labels_N[chosen]),
        )
        for layer, vectors_ND in embeddings.by_layer.items()
        if np.ptp(vectors_ND[chosen], axis=0).any()
    ]


def _tsne(vectors_ND: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    perplexity = min(PERPLEXITY, (len(vectors_ND) - 1) / 3)
    with threadpool_limits(1):  # threads that wait for a busy core make it a hundred times slower
        tsne = TSNE(init="random", perplexity=perplexity, max_iter=NUM_STEPS, random_state=0)
        points_N2 = tsne.fit_transform(vectors_ND).astype(np.float64)
    low_2, high_2 = points_N2.min(axis=0), points_N2.max(axis=0)
    scaled_N2: npt.NDArray[np.float64] = (points_N2 - low_2) / (high_2 - low_2)
    return scaled_N2


def _share_of_neighbours(
    vectors_ND: npt.NDArray[np.float32], labels_N: npt.NDArray[np.int64]
) -> float:
    search = NearestNeighbors(n_neighbors=NUM_NEIGHBOURS).fit(vectors_ND)
    neighbours = search.kneighbors(return_distance=False)  # an image is not its own
    return float((labels_N[neighbours] == labels_N[:, None]).mean())
