"""Score predicted probabilities against labels, by numpy alone: what each metric is.

scikit-learn defines the same figures; importing it costs a worker seconds. A class that has no
image in a split has no recall and no AUROC there, and these are averaged over the others.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Integers = npt.NDArray[np.int64]

LEAST_PROBABILITY = float(np.finfo(np.float32).tiny)
"""In a log loss a probability counts as this at least, 87 nats: an estimator may say 0, and what is
stored is float32."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """Holds what a model reaches on a split.

    Attributes:
        loss: The mean cross-entropy in nats (log loss).
        accuracy: The share of right answers.
        balanced_accuracy: The mean over the classes of their recall (Brodersen et al., "The
            Balanced Accuracy and Its Posterior Distribution", 2010).
        macro_f1: The mean over the classes of their F1.
        auroc: The mean over the classes of the area under the ROC curve of this class against the
            others (Fawcett, "An Introduction to ROC Analysis", 2006), by float32 probabilities;
            `None`: all images of the split are of one class.
    """

    loss: float
    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    auroc: float | None

    def on_validation(self) -> dict[str, Any]:
        """Return the figures by their names in `EpochMetrics`, of the validation split."""
        return {f"val_{name}": value for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Counts answers by class.

    Attributes:
        hits_K: Right answers.
        labels_K: Images of the class.
        answers_K: Answers that name the class, right or wrong.
    """

    hits_K: Integers
    labels_K: Integers
    answers_K: Integers


def evaluate(
    probabilities_NK: Floats, labels_N: Integers, predicted_N: Integers, loss: float
) -> Evaluation:
    """Score answers and probabilities of a split's images.

    Args:
        predicted_N: The answers, which probabilities rounded to float32 may not tell.
        loss: The log loss, which they may not tell either.
    """
    counts = count_answers(labels_N, predicted_N, probabilities_NK.shape[1])
    return Evaluation(
        loss=loss,
        accuracy=int(counts.hits_K.sum()) / len(labels_N),
        balanced_accuracy=float(np.nanmean(recall(counts))),
        macro_f1=float(np.nanmean(f1(counts))),
        auroc=auroc(probabilities_NK, labels_N),
    )


def guess(train_labels_M: Integers, labels_N: Integers, num_classes: int) -> Evaluation:
    """Score what is known without a look at the images: to each the same probabilities, the shares
    of the classes in train, and the same answer, the commonest class."""
    frequencies_K = np.bincount(train_labels_M, minlength=num_classes) / len(train_labels_M)
    likely_N = np.maximum(frequencies_K[labels_N], LEAST_PROBABILITY)
    counts = count_answers(labels_N, np.full_like(labels_N, frequencies_K.argmax()), num_classes)
    return Evaluation(
        loss=float(-np.log(likely_N).mean()),
        accuracy=int(counts.hits_K.sum()) / len(labels_N),
        balanced_accuracy=float(np.nanmean(recall(counts))),
        macro_f1=float(np.nanmean(f1(counts))),
        auroc=0.5,
    )


def count_answers(labels_N: Integers, predicted_N: Integers, num_classes: int) -> Counts:
    """Count right answers, labels and answers of each class."""
    hits_N = labels_N[predicted_N == labels_N]
    counted = (np.bincount(of_N, minlength=num_classes) for of_N in (hits_N, labels_N, predicted_N))
    return Counts(*counted)


def recall(counts: Counts) -> Floats:
    """Return each class's share of right answers, K; NaN where it has no image."""
    return _divide(counts.hits_K, counts.labels_K)


def f1(counts: Counts) -> Floats:
    """Return each class's F1, 2 TP / (2 TP + FP + FN), K; NaN where it is neither present nor
    answered."""
    return _divide(2 * counts.hits_K, counts.labels_K + counts.answers_K)


def auroc(probabilities_NK: Floats, labels_N: Integers) -> float | None:
    """Return the area under the ROC curve of each class against the others, averaged; `None` where
    there is one class alone."""
    areas_K = areas_under_roc(probabilities_NK, labels_N)
    return None if np.isnan(areas_K).all() else float(np.nanmean(areas_K))


def areas_under_roc(probabilities_NK: Floats, labels_N: Integers) -> Floats:
    """Return each class's area under the ROC curve, K; NaN where it or all others have no image.

    It is the probability that an image of the class has a higher probability of it than another
    image has, where ties count one half (Hanley and McNeil, "The Meaning and Use of the Area under
    a ROC Curve", 1982). An image of the class is among all images, so the rank of each among them
    is found, and what images of the class have below them in their own class is taken off.
    """
    num_images, num_classes = probabilities_NK.shape
    sorted_KN = np.sort(probabilities_NK.T.astype(np.float32), axis=1)
    order_N = np.argsort(labels_N, kind="stable")
    own_N = probabilities_NK[order_N, labels_N[order_N]].astype(np.float32)
    sizes_K = np.bincount(labels_N, minlength=num_classes)
    areas_K = np.full(num_classes, np.nan)
    for k, own in enumerate(np.split(own_N, np.cumsum(sizes_K)[:-1])):
        others = num_images - len(own)
        if len(own) and others:
            below = ranks(sorted_KN[k], own).sum() - len(own) ** 2 / 2
            areas_K[k] = below / (len(own) * others)
    return areas_K


def ranks(sorted_M: Floats, values_N: Floats) -> Floats:
    """Count for each value how many of M sorted ones are lower, those that are equal as halves."""
    lower_N = np.searchsorted(sorted_M, values_N, side="left")
    return (lower_N + np.searchsorted(sorted_M, values_N, side="right")) / 2


def _divide(parts: Integers, wholes: Integers) -> Floats:
    """Divide, with NaN where there is nothing to divide by."""
    shares = np.full(len(wholes), np.nan)
    np.divide(parts, wholes, out=shares, where=wholes > 0)
    return shares
