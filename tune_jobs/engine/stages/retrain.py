"""Retrain the best configurations and the published ones on the train split, over several seeds.

Validation chooses the winner; the test split is read here alone, once per retrained model.
"""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from optuna.samplers import BaseSampler
from optuna.trial import Trial, TrialState

from trainables.config import Configuration
from trainables.trials.task import Stage, TrialTask
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.record.recorded_trial import RecordedTrial
from tune_jobs.engine.search.samplers import build_sampler
from tune_jobs.engine.stages.candidates import (
    Candidate,
    Retrained,
    choose_candidates,
    read_results,
)
from tune_jobs.engine.stages.race import Pair, afford, find_losers, rank
from tune_jobs.engine.stages.search import REFERENCES, Search
from tune_jobs.engine.stages.trial_stage import TrialStage

NOT_AFFORDED = "not afforded: the retraining would train more epochs than the search did"


class Retraining(TrialStage):
    """Gives (candidate, seed) pairs in rounds; pairs that the record holds are not run again.

    References, which are the published (or default) configurations, and the best of the searched
    ones train all seeds. The other searched candidates train one more seed a round, as long as
    they have not lost, and as long as the retraining trains no more epochs than the search did. One
    that drops out never comes back. What costs more than the winner may is no rival of the others,
    and drops out too.
    """

    def __init__(self, search: Search, record: Record, *, top: int, seeds: Sequence[int]) -> None:
        plan = search.plan
        super().__init__(Stage.RETRAIN, record, epochs=plan.epochs, runtime=plan.runtime)
        self.search = search
        self._top = top
        self._seeds = tuple(seeds)
        self._candidates: dict[int, Candidate] = {}
        self._num_ended = 0
        self._decided_at: tuple[int, bool, int] | None = None
        self._settle(record.trials(TrialState.RUNNING))
        known = record.trials()
        self._pairs = {t.pair for t in known if t.state != TrialState.FAIL and not t.is_skipped}
        self._dropped = {trial.pair[0] for trial in known if trial.is_skipped}
        self._num_waiting = len(record.trials(TrialState.WAITING))
        self._try_again([trial for trial in known if trial.state == TrialState.FAIL])

    @property
    def finished(self) -> bool:
        """Return whether the search is over, and no pair is left or running."""
        if not self.search.finished:
            return False
        self._advance()
        return not (self._unfinished or self._num_waiting or self._running)

    def next_task(self) -> TrialTask | None:
        """Return the next pair's task, or `None` where there is none at present.

        What is sure to be retrained fills slots that the search's last trials, or the last ones of
        a round, leave idle.
        """
        self._advance()
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

    def _advance(self) -> None:
        """Enqueue the pairs that have become certain since the last call."""
        now = self.search.num_open, self.search.finished, self._num_ended
        if now != self._decided_at:
            self._decided_at = now
            self._enter()
            if self.search.finished:
                self._decide_rounds()
        if not (self._unfinished or self._num_waiting):
            self._enqueue_owed()

    def _enter(self) -> None:
        """Begin the first round, with those candidates that are certain to be in it."""
        self._take_up(self._best_of_search())
        for number in self._candidates:
            self._enqueue(number, self._seeds[0])

    def _best_of_search(self) -> list[int]:
        """Return the trials that are among the `top` best, and afforded, however those end that
        still run: these are put first, by negative numbers."""
        num_open = 0 if self.search.finished else min(self.search.num_open, self._top)
        best = [trial.number for trial in self.search.record.best(self._top)]
        ranked = [*range(-num_open, 0), *best][: self._top]
        references = self._references()
        searched = [number for number in ranked if number not in references]
        committed = self._pairs | self._all_pairs([*references, *searched[:1]])
        return afford(ranked, self._seeds[0], committed, self._num_afforded())

    def _decide_rounds(self) -> None:
        """Decide, after each round that is complete, who begins the next one."""
        latest = {trial.pair: trial for trial in self.record.trials()}
        ended = {pair: trial for pair, trial in latest.items() if trial.state.is_finished()}
        for num_rounds, seed in enumerate(self._seeds[:-1], start=1):
            racing = [number for number in self._candidates if (number, seed) in self._pairs]
            due = {(n, s) for n in racing for s in self._seeds[:num_rounds]} & self._pairs
            if not due <= ended.keys():
                return
            exceeded = {
                number: reason
                for number in racing
                if (reason := self._exceeded(number, self._seeds[:num_rounds], ended))
            }
            able = [number for number in racing if number not in exceeded]
            scores = self._scores(able, self._seeds[:num_rounds], ended)
            self._decide(rank(racing, scores), scores, exceeded, num_rounds)

    def _exceeded(
        self, number: int, seeds: Sequence[int], ended: Mapping[Pair, RecordedTrial]
    ) -> str | None:
        """Return which limit of the run a candidate exceeds, by these seeds; `None`: none."""
        trials = [ended[number, seed] for seed in seeds if (number, seed) in ended]
        last = [trial.last for trial in trials if trial.last]
        return self.search.plan.model_limits.exceeded(last)

    def _scores(
        self, racing: Sequence[int], seeds: Sequence[int], ended: Mapping[Pair, RecordedTrial]
    ) -> dict[int, list[float]]:
        """Return the scores of the candidates that were trained to the end with all these seeds."""
        values = {n: [ended[n, s].value for s in seeds if (n, s) in ended] for n in racing}
        score = self.record.metric.score
        return {
            number: [score(value) for value in found if value is not None]
            for number, found in values.items()
            if len(found) == len(seeds) and None not in found
        }

    def _decide(
        self,
        ranked: Sequence[int],
        scores: Mapping[int, Sequence[float]],
        exceeded: Mapping[int, str],
        num_rounds: int,
    ) -> None:
        """Give each candidate its next seed, or have it drop out; what was decided before stays.

        All of it is written in the order of the ranks, so a session that dies amid it leaves what
        the next one would decide too.
        """
        seed = self._seeds[num_rounds]
        undecided = [n for n in ranked if (n, seed) not in self._pairs and n not in self._dropped]
        if not undecided:
            return
        references = self._references()
        out = references | self._dropped | exceeded.keys()
        searched = [number for number in ranked if number not in out]
        safe = [*references, *searched[:1]]
        lost = find_losers(scores, num_looks=max(1, len(self._seeds) - 2))
        committed = self._pairs | self._all_pairs(safe)
        going_on = [number for number in searched if number not in lost]
        afforded = afford(going_on, seed, committed, self._num_afforded())
        for number in undecided:
            if number in safe or number in afforded:
                self._enqueue(number, seed)
            elif number in exceeded:
                self._drop(number, seed, exceeded[number])
            elif number in lost:
                self._drop(number, seed, self._describe_loss(number, ranked[0], scores))
            else:
                self._drop(number, seed, NOT_AFFORDED)

    def _describe_loss(
        self, number: int, leader: int, scores: Mapping[int, Sequence[float]]
    ) -> str:
        score = self.record.metric.score  # of a score it is the value again
        own, best = score(fmean(scores[number])), score(fmean(scores[leader]))
        means = f"{own:.4f} on validation against {best:.4f}"
        return f"lost to trial {leader}: {means}, over {len(scores[number])} seeds"

    def _enqueue_owed(self) -> None:
        """Enqueue one pair that will be trained however the race ends, if one is left."""
        going_on = self._candidates.keys() - self._dropped
        owed = going_on & self._references()
        if self.search.finished and len(going_on - owed) == 1:
            owed = going_on  # the one that is left has no rival
        left = ((n, s) for s in self._seeds for n in sorted(owed) if (n, s) not in self._pairs)
        if pair := next(left, None):
            self._enqueue(*pair)

    def _enqueue(self, number: int, seed: int) -> None:
        if (number, seed) in self._pairs or number in self._dropped:
            return
        params = self._candidates[number].params
        self.record.enqueue({}, trial_number=number, seed=seed, params=params)
        self._pairs.add((number, seed))
        self._num_waiting += 1

    def _drop(self, number: int, seed: int, reason: str) -> None:
        params = self._candidates[number].params
        self.record.skip(reason, trial_number=number, seed=seed, params=params)
        self._dropped.add(number)

    def _take_up(self, numbers: Iterable[int]) -> None:
        """Make candidates of these trials, of the references, and of all that were retrained before
        (no row is lost when a better one is found)."""
        known = {number for number, _ in self._pairs}
        for candidate in choose_candidates(self.search.record, {*numbers, *known}):
            self._candidates[candidate.trial_number] = candidate

    def _references(self) -> set[int]:
        """Return the numbers of the references, those included that have not begun."""
        return {t.number for t in self.search.record.trials() if t.origin in REFERENCES}

    def _all_pairs(self, numbers: Iterable[int]) -> set[Pair]:
        return {(number, seed) for number in numbers for seed in self._seeds}

    def _num_afforded(self) -> int:
        """Return how many pairs have no more epochs than the search has trained."""
        return sum(trial.num_epochs for trial in self.search.record.trials()) // self.epochs

    def _try_again(self, failed: Sequence[RecordedTrial]) -> None:
        """Enqueue the pairs that have failed in earlier sessions."""
        pairs = {trial.pair for trial in failed if trial.pair[1] in self._seeds}
        self._take_up(number for number, _ in pairs)
        for number, seed in sorted(pairs):
            self._enqueue(number, seed)

    def _end(self, number: int, state: TrialState, reason: str) -> None:
        super()._end(number, state, reason)
        self._num_ended += 1

    def _sampler(self, number: int) -> BaseSampler:
        """Build a sampler that samples nothing: a pair's configuration is its candidate's."""
        return build_sampler("random", seed=0, number=0, centre={})

    def _configuration(self, trial: Trial) -> Configuration:
        return self._candidates[trial.user_attrs["trial_number"]].config
