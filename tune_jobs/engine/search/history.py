"""Keep a study's trials sorted from one proposal to the next, so that each is looked at once."""

from bisect import insort
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from tune_jobs.engine.search.unit_cube import Place, place


@dataclass(slots=True)
class Ended:
    """Holds trials that ended with a score.

    Attributes:
        direction: The study's.
        ranked: The best first: by how far they came, then by the score of their last epoch.
        numbered: The same ones by number.
        num_reported: The number of those that reported an epoch.
    """

    direction: StudyDirection
    ranked: list[FrozenTrial] = field(default_factory=list)
    numbered: list[FrozenTrial] = field(default_factory=list)
    num_reported: int = 0
    _places: Mapping[tuple[int, int], Place] = field(default_factory=dict)

    def add(self, trial: FrozenTrial) -> None:
        insort(self.ranked, trial, key=self._rank)
        insort(self.numbered, trial, key=lambda other: other.number)
        self.num_reported += trial.last_step is not None

    def choose(self, most: int) -> list[FrozenTrial]:
        """Return all trials, or half of `most` that are the best and half that are the newest of
        the others; the best first in each half."""
        if len(self.ranked) <= most:
            return self.ranked
        half = most // 2
        best = self.ranked[:half]
        taken = {trial.number for trial in best}
        others = (trial for trial in reversed(self.numbered) if trial.number not in taken)
        return [*best, *sorted(islice(others, half), key=self._rank)]

    def _rank(self, trial: FrozenTrial) -> tuple[float, float, int]:
        reached, score = merit(trial, self.direction)
        return -reached, -score, trial.number

    def place(self, trials: Sequence[FrozenTrial]) -> list[Place]:
        """Return where the trials lie; those of the last call are remembered."""
        keys = [(trial.number, len(trial.params)) for trial in trials]  # one may get more of them
        known = self._places
        self._places = {
            key: known.get(key) or place(trial) for key, trial in zip(keys, trials, strict=True)
        }
        return list(self._places.values())


class History:
    """Sorts a study's trials as they end: all of them, and those of each architecture.

    Attributes:
        running: The trials that have not ended.
    """

    def __init__(self, direction: StudyDirection) -> None:
        self.running: list[FrozenTrial] = []
        self._direction = direction
        self._ended: defaultdict[Any, Ended] = defaultdict(partial(Ended, direction))
        self._num_settled = 0  # all trials before this one have ended, and are sorted in
        self._sorted_in: set[int] = set()  # of those behind it

    @classmethod
    def of(cls, study: Study) -> "History":
        """Return the history of a study, up to now."""
        history = _HISTORIES.get(study)
        if history is None:
            history = _HISTORIES[study] = cls(study.direction)
        history._take(study.get_trials(deepcopy=False))
        return history

    def ended(self, architecture: str | None = None) -> Ended:
        """Return the trials of an architecture that ended with a score; `None`: of any."""
        return self._ended[architecture]

    def _take(self, trials: Sequence[FrozenTrial]) -> None:
        recent = trials[self._num_settled :]
        self.running = [trial for trial in recent if trial.state == TrialState.RUNNING]
        for trial in recent:
            if trial.state.is_finished() and trial.number not in self._sorted_in:
                self._sorted_in.add(trial.number)
                if _has_score(trial, self._direction):
                    for architecture in {None, trial.params.get("architecture")}:
                        self._ended[architecture].add(trial)
        while self._num_settled in self._sorted_in:
            self._sorted_in.remove(self._num_settled)
            self._num_settled += 1


_HISTORIES: "WeakKeyDictionary[Study, History]" = WeakKeyDictionary()


def ranked(study: Study) -> list[FrozenTrial]:
    """Return the trials that ended with a score, the best first."""
    return History.of(study).ended().ranked


def merit(trial: FrozenTrial, direction: StudyDirection) -> tuple[float, float]:
    """Return how far a trial came, and the score of its last epoch; more is better."""
    sign = 1 if direction == StudyDirection.MAXIMIZE else -1
    if trial.state == TrialState.COMPLETE and trial.value is not None:
        return np.inf, sign * trial.value
    step = trial.last_step
    return (-np.inf, 0.0) if step is None else (step, sign * trial.intermediate_values[step])


def _has_score(trial: FrozenTrial, direction: StudyDirection) -> bool:
    ended = trial.state in (TrialState.COMPLETE, TrialState.PRUNED)
    return ended and bool(trial.params) and bool(np.isfinite(merit(trial, direction)[1]))
