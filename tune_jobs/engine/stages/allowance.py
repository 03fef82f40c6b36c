"""What a retraining may cost: no more epochs than the search, or what a time budget leaves."""

import math
from collections.abc import Collection

from optuna.trial import TrialState

from tune_jobs.engine.record.record import Record
from tune_jobs.engine.stages.race import Pair
from tune_jobs.engine.stages.search import Search


class Allowance:
    def __init__(self, search: Search, record: Record) -> None:
        self._search = search
        self._record = record

    def affords(self, pairs: Collection[Pair]) -> bool:
        """Return whether these pairs have no more epochs than the search has trained, over all
        folds; where there is a time budget, that decides instead."""
        plan = self._search.plan
        if plan.budget.seconds is not None:
            return True
        epochs = sum(trial.num_epochs for trial in self._search.record.trials())
        return len(pairs) * plan.epochs <= epochs * plan.budget.num_folds

    def has_time(self, pairs: Collection[Pair]) -> bool:
        """Return whether those of these pairs that have not ended can be trained in time."""
        budget, times = self._search.plan.budget, self._search.time.times
        left = budget.left()
        if left == math.inf:
            return True
        ended = {trial.pair for trial in self._record.trials() if trial.state.is_finished()}
        trained = {t.goes_on_with for t in self._search.record.trials(TrialState.COMPLETE)}
        seconds = [
            times.test(pair[0]) if pair in trained else times.retraining(pair[0])
            for pair in {*pairs} - ended
        ]
        return budget.wall(seconds) <= left
