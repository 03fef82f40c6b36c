"""Decide of which architecture the next proposal is, where a space joins several."""

import math
from collections.abc import Sequence
from statistics import fmean

from tune_jobs.engine.record.recorded_trial import RecordedTrial

EXPONENT = 4
"""An architecture whose best trial makes twice the errors of the best one of all is taken to be so
many halvings less likely to lead with its next trial."""

LEAST_ERROR = 1e-3
"""A validation split without a mistake still leaves a trial something to gain."""


LEAST_SECONDS = 1e-3


def choose_architecture(architectures: Sequence[str], trials: Sequence[RecordedTrial]) -> str:
    """Return the architecture that promises most for a second of training.

    The promise of an architecture is (e / own) ** EXPONENT / (n + 1) / seconds, where `own` is the
    least error of its n trials on validation, e the least of all trials, and `seconds` the mean
    training time of those of its trials that ended. The first factor says how far it is behind;
    the second one is the probability that the last of n + 1 equal trials is the best of them. So
    the cheap architectures are tried often, as long as they may still lead.

    Until a trial of it has ended with a report, its cost is not known, and it waits for that.
    Before any trial has, the one with the fewest trials is next.

    Args:
        architectures: Those that the space chooses between, the cheapest first, which wins ties.
        trials: All trials of the search.
    """
    of = {
        name: [t for t in trials if t.params.get("architecture") == name] for name in architectures
    }
    ended = {
        name: [t for t in own if t.state.is_finished() and t.epochs] for name, own in of.items()
    }
    errors = {name: min(map(_error, own)) for name, own in ended.items() if own}
    if not errors:
        return min(architectures, key=lambda name: len(of[name]))

    def promise(name: str) -> float:
        seconds = max(LEAST_SECONDS, fmean(trial.seconds for trial in ended[name]))
        behind = errors[name] / min(errors.values())
        return 1 / (behind**EXPONENT * (len(of[name]) + 1) * seconds)

    return max(errors, key=promise)


def rung_group(trial: RecordedTrial, *, by_architecture: bool) -> str:
    """Return the group within which a trial is compared at rungs.

    A report's configuration is compared with those of reports alone. Most of them train at a
    constant rate and lead early: a recipe whose rate warms up first, and ends higher, would be
    stopped by them.

    Args:
        by_architecture: Whether an epoch of one architecture is no other's.
    """
    architecture = str(trial.params["architecture"]) if by_architecture else ""
    return f"{architecture} {'published' if trial.origin == 'published' else 'searched'}"


def _error(trial: RecordedTrial) -> float:
    accuracies = [metrics.val_accuracy for metrics in trial.epochs.values()]
    return max(LEAST_ERROR, 1 - max(filter(math.isfinite, accuracies), default=0.0))
