"""Retrain the best configurations and the published ones on the train split, over several seeds.

Validation chooses the winner; the test split is read here alone, once per retrained model.
"""

from collections.abc import Sequence

from optuna.samplers import BaseSampler
from optuna.trial import Trial, TrialState

from trainables.config import Configuration
from trainables.trials.task import Stage, TrialTask
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.search.samplers import build_sampler
from tune_jobs.engine.stages.candidates import (
    Candidate,
    Retrained,
    choose_candidates,
    read_results,
)
from tune_jobs.engine.stages.search import Search
from tune_jobs.engine.stages.trial_stage import TrialStage


class Retraining(TrialStage):
    """Gives (candidate, seed) pairs; pairs that the record holds are not run again."""

    def __init__(self, search: Search, record: Record, *, top: int, seeds: Sequence[int]) -> None:
        plan = search.plan
        super().__init__(Stage.RETRAIN, record, epochs=plan.epochs, runtime=plan.runtime)
        self.search = search
        self._top = top
        self._seeds = tuple(seeds)
        self._candidates: dict[int, Candidate] = {}
        self._chosen_at: tuple[int, bool] | None = None
        self._settle(record.trials(TrialState.RUNNING))
        self._known = {t.pair for t in record.trials() if t.state != TrialState.FAIL}
        self._num_waiting = len(record.trials(TrialState.WAITING))

    @property
    def finished(self) -> bool:
        """Return whether the search is over, and no pair is left or running."""
        if not self.search.finished:
            return False
        self._choose()
        return not (self._unfinished or self._num_waiting or self._running)

    def next_task(self) -> TrialTask | None:
        """Return the next pair's task, or `None` where there is none at present.

        Published (or default) configurations are sure to be retrained, so they fill slots that the
        search's last trials leave idle; the best ones are known when the search is over.
        """
        self._choose()
        if self._unfinished:
            trial = self._restart(self._unfinished.pop(0))
        elif self._num_waiting:
            self._num_waiting -= 1
            trial = self._ask(0)
        else:
            return None
        return self._task(trial, seed=trial.user_attrs["seed"])

    def results(self) -> list[Retrained]:
        candidates = list(self._candidates.values())
        return read_results(candidates, self.record, self._seeds, self.epochs)

    def _choose(self) -> None:
        """Enqueue the pairs that have become certain to be retrained since the last call."""
        now = self.search.num_first_asked, self.search.finished
        if now == self._chosen_at:
            return
        self._chosen_at = now
        top = self._top if self.search.finished else 0
        retrained = {number for number, _ in self._known}
        for candidate in choose_candidates(self.search.record, top, retrained):
            self._candidates[candidate.trial_number] = candidate
        for seed in self._seeds:
            for number, candidate in self._candidates.items():
                if (number, seed) not in self._known:
                    about = {"trial_number": number, "seed": seed, "params": candidate.params}
                    self.record.enqueue({}, **about)
                    self._known.add((number, seed))
                    self._num_waiting += 1

    def _sampler(self, number: int) -> BaseSampler:
        """Build a sampler that samples nothing: a pair's configuration is its candidate's."""
        return build_sampler("random", seed=0, number=0, centre={})

    def _configuration(self, trial: Trial) -> Configuration:
        return self._candidates[trial.user_attrs["trial_number"]].config
