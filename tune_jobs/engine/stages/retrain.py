"""Retrain the best configurations and the published ones on the train split, over several seeds.

Validation chooses the winner; the test split is read here alone, once per retrained model.
"""

from collections.abc import Collection, Iterable, Sequence

from optuna.samplers import BaseSampler
from optuna.trial import Trial, TrialState

from trainables.config import Configuration
from trainables.metrics import EpochMetrics
from trainables.trials.task import Stage, TrialTask
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.record.recorded_trial import RecordedTrial
from tune_jobs.engine.search.limits import ABOVE
from tune_jobs.engine.search.samplers import build_sampler
from tune_jobs.engine.stages.allowance import Allowance
from tune_jobs.engine.stages.candidates import (
    Candidate,
    Retrained,
    choose_candidates,
    find_references,
    find_skipped,
    read_results,
)
from tune_jobs.engine.stages.race import Pair, afford
from tune_jobs.engine.stages.round import Round
from tune_jobs.engine.stages.search import Search
from tune_jobs.engine.stages.trial_stage import TrialStage

NOT_AFFORDED = "not afforded: the retraining would train more epochs than the search did"
NOT_IN_TIME = "not afforded: the time budget leaves no time for it"


class Retraining(TrialStage):
    """Gives (candidate, seed) pairs in rounds; pairs that the record holds are not run again.

    References, which are the published (or default) configurations, and the best of the searched
    ones train all seeds; of several defaults the best one does, and the others at least one. The
    other candidates train one more seed a round, as long as they have not lost, and as long as the
    retraining trains no more epochs than the search did. One that drops out never comes back. What
    costs more than the winner may is no rival of the others, and drops out too, until a session
    that allows as much.

    Where the time budget leaves too little time, other candidates drop out first, until a later
    session, then all train fewer seeds. One seed of one candidate is trained in any case.

    Attributes:
        cut_short: What there was no time for, in words; `None`: there was time enough.
    """

    def __init__(self, search: Search, record: Record, *, top: int, seeds: Sequence[int]) -> None:
        plan = search.plan
        super().__init__(Stage.RETRAIN, record, runtime_of=plan.runtime_of)
        self.search = search
        self._top = top
        self._seeds = self._asked = tuple(seeds)
        self._allowance = Allowance(search, record)
        self.cut_short: str | None = None
        self._candidates: dict[int, Candidate] = {}
        self._num_ended = 0
        self._decided_at: tuple[int, bool, int] | None = None
        self._settle(record.trials(TrialState.RUNNING))
        known = record.trials()
        self._pairs = {t.pair for t in known if t.state != TrialState.FAIL and not t.is_skipped}
        skipped = find_skipped(record)
        self._dropped = {n for n, why in skipped.items() if not self._may_return(n, why)}
        if record.num_rounds is not None:
            record.end_rounds(None)
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
        return read_results(candidates, self.record, self._asked)

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
        references = find_references(self.search.record)
        best = [trial.number for trial in self.search.record.best()]
        always = references.always(best)
        for number in dict.fromkeys([*always, *sorted(references.all), *self._candidates]):
            if number in self._candidates and number not in self._dropped:
                # All seeds of some come before a first one of another, unless that is a default's
                # which came to its end in the search: there is a row of each architecture.
                is_first = number in always or number in references.all.intersection(best)
                rest = () if is_first else self._all_pairs(always)
                self._begin_if_in_time(number, rest)

    def _begin_if_in_time(self, number: int, rest: Iterable[Pair]) -> None:
        """Begin a candidate if there is time for it and for the rest, or if it is the only one."""
        pair = number, self._seeds[0]
        if pair in self._pairs or self._has_time({pair, *rest}):
            self._enqueue(*pair)
        elif self.search.finished and self._pairs:
            self._drop(*pair, NOT_IN_TIME)
        elif self.search.finished:
            self._enqueue(*pair)
            needed = self.search.time.times.retraining(number)
            self.cut_short = (
                f"there was no time for one training, an estimated {needed:,.0f} s: trial {number} "
                "was trained with one seed all the same"
            )

    def _best_of_search(self) -> list[int]:
        """Return the trials that are among the `top` best, and afforded, however those end that
        still run: these are put first, by negative numbers."""
        num_open = 0 if self.search.finished else min(self.search.num_open, self._top)
        best = [trial.number for trial in self.search.record.best()]
        ranked = [*range(-num_open, 0), *best][: self._top]
        references = find_references(self.search.record)
        always = references.always([*ranked, *(n for n in best if n in references.all)])
        rows = {(number, self._seeds[0]) for number in references.all}
        committed = self._pairs | self._all_pairs(always) | rows
        return afford(ranked, self._seeds[0], committed, self._allowance.affords)

    def _decide_rounds(self) -> None:
        """Decide, after each round that is complete, who begins the next one."""
        latest = {trial.pair: trial for trial in self.record.trials()}
        ended = {pair: trial for pair, trial in latest.items() if trial.state.is_finished()}
        for num_rounds, seed in enumerate(self._seeds[:-1], start=1):
            if num_rounds >= len(self._seeds):  # there was no time for more
                return
            racing = [number for number in self._candidates if (number, seed) in self._pairs]
            due = {(n, s) for n in racing for s in self._seeds[:num_rounds]} & self._pairs
            if not due <= ended.keys():
                return
            self._decide(Round.of(racing, self._seeds[:num_rounds], ended, self.search))

    def _decide(self, done: Round) -> None:
        """Give each candidate its next seed, or have it drop out; what was decided before stays.

        All of it is written in the order of the ranks, so a session that dies amid it leaves what
        the next one would decide too.
        """
        seed = self._seeds[done.number]
        undecided = [
            n for n in done.ranked if (n, seed) not in self._pairs and n not in self._dropped
        ]
        if not undecided:
            return
        references = find_references(self.search.record)
        able = [n for n in done.ranked if n not in self._dropped]
        always = references.always(
            [n for n in able if n in references.all or n not in done.exceeded]
        )
        if not self._has_time({(number, seed) for number in always}):
            self._end_race(done.number)
            return
        lost = done.find_lost(references.defaults, len(self._seeds))
        committed = self._pairs | self._all_pairs(always)
        going_on = [number for number in able if number not in lost and number not in done.exceeded]
        afforded = afford(going_on, seed, committed, self._allowance.affords)
        in_time = afford(afforded, seed, committed, self._has_time)
        for number in undecided:
            if number in always or number in in_time:
                self._enqueue(number, seed)
            elif number in done.exceeded:
                self._drop(number, seed, done.exceeded[number])
            elif number in lost:
                self._drop(number, seed, lost[number])
            else:
                self._drop(number, seed, NOT_IN_TIME if number in afforded else NOT_AFFORDED)

    def _end_race(self, num_rounds: int) -> None:
        self.record.end_rounds(num_rounds)
        self._seeds = self._seeds[:num_rounds]
        why = f"there was time for {num_rounds} of {len(self._asked)} seeds"
        self.cut_short = self.cut_short or why

    def _enqueue_owed(self) -> None:
        """Enqueue one pair that will be trained however the race ends, if one is left."""
        going_on = self._candidates.keys() - self._dropped
        references = find_references(self.search.record)
        owed = going_on & references.fixed
        if self.search.finished and len(going_on & references.defaults) == 1:
            owed |= going_on & references.defaults  # the others have dropped out
        if self.search.finished and len(going_on - owed) == 1:
            owed = going_on  # the one that is left has no rival
        left = ((n, s) for s in self._seeds for n in sorted(owed) if (n, s) not in self._pairs)
        pair = next(left, None)
        if pair and self._has_time({pair}):
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

    def _all_pairs(self, numbers: Iterable[int]) -> set[Pair]:
        return {(number, seed) for number in numbers for seed in self._seeds}

    def _has_time(self, pairs: Collection[Pair]) -> bool:
        """Return whether these pairs can be trained in time, after those that are enqueued."""
        return self._allowance.has_time({*self._pairs, *pairs})

    def _try_again(self, failed: Sequence[RecordedTrial]) -> None:
        """Enqueue the pairs that have failed in earlier sessions."""
        pairs = {trial.pair for trial in failed if trial.pair[1] in self._seeds}
        self._take_up(number for number, _ in pairs)
        for number, seed in sorted(pairs):
            self._enqueue(number, seed)

    def _may_return(self, number: int, reason: str) -> bool:
        """Return whether a candidate that dropped out in an earlier session is in the race again:
        there was no time for it, or it cost more than was allowed then."""
        if ABOVE not in reason:
            return reason == NOT_IN_TIME
        ended = [trial.last for trial in self.record.trials() if trial.pair[0] == number]
        limits = self.search.plan.model_limits
        return limits.exceeded([metrics for metrics in ended if metrics]) is None

    def _goes_on(self, number: int, metrics: EpochMetrics, config: Configuration) -> bool:
        candidate, _ = self.record.trials()[number].pair
        self.search.time.times.take_retraining(candidate, metrics)
        return True

    def _end(self, number: int, state: TrialState, reason: str) -> float | None:
        self._num_ended += 1
        return super()._end(number, state, reason)

    def _sampler(self, number: int) -> BaseSampler:
        """Build a sampler that samples nothing: a pair's configuration is its candidate's."""
        return build_sampler("random", seed=0, number=0, centre={})

    def _configuration(self, trial: Trial) -> Configuration:
        return self._candidates[trial.user_attrs["trial_number"]].config
