"""Estimate what trainings take, from the epochs that were reported so far."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

from trainables.config import Configuration
from trainables.metrics import EpochMetrics
from trainables.trials.report import TrainingCost

RETRAINING_SECONDS = 1.0
"""What a retraining takes beside its epochs and the look at the test split: building, files."""


@dataclass(slots=True)
class Pace:
    """Sums up the epochs that a configuration has reported.

    An estimator is fitted anew for each of its epochs, on a share of the images: its training is
    one fit on all of them. The first epoch, which warms up, is left out once there is a second.
    """

    seconds: float = 0.0
    amount: float = 0.0
    num_reports: int = 0
    last_epoch: int = 0
    is_fit: bool = False

    def add(self, metrics: EpochMetrics, num_models: int) -> None:
        if self.num_reports == 1:
            self.seconds = self.amount = 0.0
        self.seconds += metrics.seconds
        self.amount += num_models * (metrics.train_fraction or 1.0)
        self.num_reports += 1
        self.last_epoch = metrics.epoch
        self.is_fit = metrics.train_fraction is not None

    def model(self, epochs: int) -> float:
        """Return the seconds that one model takes."""
        return self.seconds / self.amount * (1 if self.is_fit else epochs)


class TrainingTimes:
    """Estimates what trainings take. What nothing is known of is taken to take no time.

    A trial of the search trains a model for each fold, where there are any; a retraining one model.

    Args:
        epochs: A trial's full budget.
        costs: What one model of an architecture's default takes at the least.
    """

    def __init__(self, epochs: int, costs: Mapping[str, TrainingCost], num_folds: int = 1) -> None:
        self._epochs = epochs
        self._costs = costs
        self._num_folds = num_folds
        self._paces: dict[int, Pace] = {}
        self._architectures: dict[int, str] = {}
        self._epochs_of: dict[str | None, int] = {}

    def begin(self, number: int, config: Configuration) -> None:
        """Hear of a trial of the search; all of an architecture have the same number of epochs."""
        self._architectures[number] = config["architecture"]
        self._epochs_of[config["architecture"]] = config["epochs"]

    def take(self, number: int, metrics: EpochMetrics) -> None:
        """Take an epoch of a trial of the search."""
        self._paces.setdefault(number, Pace()).add(metrics, self._num_folds)

    def take_retraining(self, number: int, metrics: EpochMetrics) -> None:
        """Take an epoch of a retraining of a trial's configuration."""
        self._paces.setdefault(number, Pace()).add(metrics, 1)

    def epochs_of(self, architecture: str | None) -> int | None:
        """Return the epochs of this architecture's trials; `None`: there are none."""
        return self._epochs_of.get(architecture)

    def knows(self, architecture: str | None) -> bool:
        """Return whether a trial of this architecture has reported; `None`: of any."""
        return any(architecture in (None, self._architectures.get(n)) for n in self._paces)

    def expected(self, architecture: str | None, epochs: int | None = None) -> float:
        """Return the seconds of a trial of this architecture; `None`: of any. Its first one also
        computes the features that it names.

        Args:
            epochs: Of the trial, where no other of its architecture has said that.
        """
        cost = None if self.knows(architecture) else self._costs.get(architecture or "")
        features = cost.features_seconds if cost else 0.0
        return features + self._num_folds * self._model_of(architecture, epochs)

    def expected_retraining(self, architecture: str | None, epochs: int | None = None) -> float:
        """Return the seconds of a retraining of such a trial's configuration."""
        epochs = self.epochs_of(architecture) or epochs or self._epochs
        return _retraining(self._model_of(architecture, epochs), epochs)

    def rest(self, number: int) -> float:
        """Return the seconds that a running trial still takes to its end.

        Its first epoch, which warms up, says no more than others of its architecture do.
        """
        pace, epochs = self._paces[number], self._epochs_of_trial(number)
        model = pace.model(epochs)
        others = self._model_of(self._architectures.get(number), epochs, but=number)
        if pace.num_reports == 1 and others:
            model = min(model, others)
        return self._num_folds * model * (1 if pace.is_fit else 1 - pace.last_epoch / epochs)

    def retraining(self, number: int) -> float:
        """Return the seconds of a retraining of a trial's configuration."""
        epochs = self._epochs_of_trial(number)
        if number in self._paces:
            return _retraining(self._paces[number].model(epochs), epochs)
        return self.expected_retraining(self._architectures.get(number), epochs)

    def expected_test(self, architecture: str | None, epochs: int | None = None) -> float:
        """Return the seconds of a retraining that goes on from such a trial's end."""
        epochs = self.epochs_of(architecture) or epochs or self._epochs
        return _test(self._model_of(architecture, epochs), epochs)

    def test(self, number: int) -> float:
        """Return the seconds of a retraining that goes on from the end of a trial."""
        epochs = self._epochs_of_trial(number)
        if number in self._paces:
            return _test(self._paces[number].model(epochs), epochs)
        return self.expected_test(self._architectures.get(number), epochs)

    def _model_of(
        self, architecture: str | None, epochs: int | None, but: int | None = None
    ) -> float:
        known = [
            pace.model(self._epochs_of_trial(number))
            for number, pace in self._paces.items()
            if architecture in (None, self._architectures.get(number)) and number != but
        ]
        if known:
            return fmean(known)
        epochs = self.epochs_of(architecture) or epochs or self._epochs
        cost = self._costs.get(architecture or "")
        return epochs * cost.epoch_seconds if cost else 0.0

    def _epochs_of_trial(self, number: int) -> int:
        return self.epochs_of(self._architectures.get(number)) or self._epochs


def _retraining(model: float, epochs: int) -> float:
    """Add to the seconds of a model what a retraining takes besides."""
    return model + _test(model, epochs)


def _test(model: float, epochs: int) -> float:
    """Return what a retraining takes beside its model. The look at the test split counts as an
    epoch."""
    return model / epochs + RETRAINING_SECONDS
