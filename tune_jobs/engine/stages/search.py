"""Search: Optuna proposes configurations, the record keeps them, a rule decides which go on."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from optuna.exceptions import StorageInternalError
from optuna.samplers import BaseSampler
from optuna.trial import Trial, TrialState

from searchspaces.joined import JoinedSpace
from trainables.config import Configuration
from trainables.config.validation import to_json
from trainables.datasets.errors import counted
from trainables.metrics import EpochMetrics
from trainables.trials.task import Stage, TrialTask
from tune_jobs.engine.record.record import ProposalError, Record
from tune_jobs.engine.record.recorded_trial import RecordedTrial
from tune_jobs.engine.run_state.folder import retraining_name
from tune_jobs.engine.search.early_stopping import StoppingRule
from tune_jobs.engine.search.limits import NO_TIME, TOO_SLOW, Standing
from tune_jobs.engine.search.samplers import build_sampler
from tune_jobs.engine.search.space import Proposal, constants_of
from tune_jobs.engine.stages.allocate import Allocation
from tune_jobs.engine.stages.candidates import REFERENCES
from tune_jobs.engine.stages.first import FirstConfiguration, fit, is_tried
from tune_jobs.engine.stages.plan import SearchPlan
from tune_jobs.engine.stages.time_budget import SearchTime
from tune_jobs.engine.stages.trial_stage import TrialStage, Verdict

COUNTED_EVERY_SECONDS = 10
"""Time is recorded this often, and at each trial's end; more would only lengthen the record."""


class Search(TrialStage):
    """Proposes configurations; rebuilt from the record where there is one."""

    def __init__(self, plan: SearchPlan, record: Record, rule: StoppingRule) -> None:
        super().__init__(Stage.SEARCH, record, runtime_of=plan.runtime_of)
        self.plan = plan
        self.rule = rule
        self._counted = time.monotonic()
        self.time = SearchTime(plan.budget, record, plan.epochs, plan.going_on)
        known = record.trials()
        self._is_over = False
        self._standing = self._standing_so_far(known)
        self._allocation = Allocation(known, record.metric)
        self._num_asked = sum(trial.state != TrialState.WAITING for trial in known)
        stopped = self._replay_reports(known)
        self._settle([t for t in known if t.state == TrialState.RUNNING], stopped)
        for first in plan.first:
            self._enqueue(first, known)
        # What is tried first comes on top where earlier sessions have asked for all others.
        num_waiting = len(record.trials(TrialState.WAITING))
        self._num_trials = max(plan.trials, self._num_asked + num_waiting)

    @property
    def num_open(self) -> int:
        """Count the trials that have not ended, those included that have not begun."""
        waiting = max(0, self._num_trials - self._num_asked)
        return waiting + len(self._unfinished) + len(self._running)

    @property
    def finished(self) -> bool:
        """Return whether nothing is left to propose, and nothing still runs.

        That stays so: the retraining, which then begins, may show trainings to take less time.
        """
        if not self._is_over:
            exhausted = not self._unfinished and not self._may_propose()
            self._is_over = (exhausted or self._enough() is not None) and not self._running
        return self._is_over

    def next_task(self) -> TrialTask | None:
        """Return the next proposal's task, an earlier session's unfinished trials first.

        A proposal for which the space fails is recorded as a failed trial, and passed over.
        """
        if enough := self._enough():
            while self._unfinished:
                with suppress(ProposalError):
                    left = self._restart(self._unfinished.pop(0))
                    self._end(left.number, TrialState.PRUNED, enough)
            return None
        while self._unfinished or self._may_propose():
            with suppress(ProposalError):
                trial = self._next_trial()
                config = trial.user_attrs["config"]
                self._allocation.begin(trial.number, config["architecture"], config["epochs"])
                if slow := self._too_slow(trial):
                    self._end(trial.number, TrialState.PRUNED, slow)
                else:
                    self.time.times.begin(trial.number, self._running[trial.number])
                    return self._begin(trial)
        return None

    def _begin(self, trial: Trial) -> TrialTask:
        if trial.user_attrs.get("origin") in REFERENCES:
            self.time.look()
        seed = trial.user_attrs.get("seed")
        if seed is None:
            return self._task(trial, seed=self.plan.seed)
        return self._task(trial, seed=seed, goes_on_as=retraining_name(trial.number, seed))

    @property
    def _architectures(self) -> Sequence[str | None]:
        """Return those between which the search decides; `None`: it is the space that does."""
        space = self.plan.space
        return tuple(space.spaces) if isinstance(space, JoinedSpace) else (None,)

    def _may_propose(self) -> bool:
        """Return whether proposals are left, and time for one that may win; for the first one there
        always is, since it is retrained in any case."""
        if self._is_over or self._num_asked >= self._num_trials:
            return False
        if self._num_asked == 0:
            return True
        able = self.time.able(self._architectures)
        names = [name for name in able if name is not None]
        if names and not self._allocation.worth_a_trial(names):
            return bool(self.record.trials(TrialState.WAITING))
        return bool(able)

    def _too_slow(self, trial: Trial) -> str | None:
        """Return why a trial is not begun, in words: an architecture's first trial, for which, and
        for a retraining of it, there is no time; `None`: it is begun. One that an earlier session
        has trained for some epochs is stopped at a report, if at all."""
        is_begun = self.record.epochs_reported(trial.number) > 0
        if trial.number == 0 or is_begun or self._architectures == (None,):
            return None
        config = self._running[trial.number]
        chosen, epochs = config["architecture"], config["epochs"]
        is_default = trial.user_attrs.get("origin") == "default"
        if self.time.suffices_for(chosen, is_default=is_default, epochs=epochs):
            return None
        needed = self.time.times.expected(chosen, epochs)
        of = f" of {counted(epochs, 'epoch')}" if chosen in self.plan.least_epochs else ""
        return f"{TOO_SLOW}: a training{of} takes an estimated {needed:,.0f} s or more"

    def _next_trial(self) -> Trial:
        if self._unfinished:
            return self._restart(self._unfinished.pop(0))
        self._num_asked += 1
        self._choose_architecture()
        return self._ask(self._num_asked - 1)

    def _choose_architecture(self) -> None:
        """Choose the architecture of the next proposal to a joined space, whatever the sampler."""
        space = self.plan.space
        if isinstance(space, JoinedSpace) and not self.record.trials(TrialState.WAITING):
            able = [name for name in self.time.able(self._architectures) if name]
            worth = self._allocation.worth_a_trial(able)
            chosen = self._allocation.choose(worth or able or tuple(space.spaces))
            self._allocation.count(chosen)
            self.record.enqueue({"architecture": chosen})

    def _enqueue(self, first: FirstConfiguration, known: Sequence[RecordedTrial]) -> None:
        """Have a configuration tried, unless the record has it.

        Args:
            known: The trials of earlier sessions.
        """
        fitted = fit(first, self.plan.space, self.plan.architecture, self.plan.defaults)
        fitted = replace(fitted, config=self._complete(fitted.config))
        # What another run has found may be what this one has just been given.
        trials = self.record.trials() if first.origin == "search" else known
        if not is_tried(first, fitted, trials):
            about = {"published": to_json(first.published), "source": first.source}
            told = {name: value for name, value in about.items() if value}
            if first.origin in REFERENCES and fitted.config["architecture"] in self.plan.going_on:
                told["seed"] = self.plan.reference_seed
            self._allocation.count(fitted.params.get("architecture", ""))
            self.record.enqueue(fitted.params, origin=first.origin, **told)

    def _complete(self, config: Configuration) -> Configuration:
        return {**config, "epochs": self._epochs_of(config["architecture"])}

    def _epochs_of(self, architecture: str) -> int:
        """Return the epochs of an architecture's trials: the full budget, or fewer of a network of
        a joined space where the time budget does not suffice for that."""
        epochs, known = self.plan.epochs, self.time.times.epochs_of(architecture)
        least = self.plan.least_epochs.get(architecture, epochs)
        return known or self.time.epochs_that_fit(architecture, epochs, least=least)

    def _sampler(self, number: int) -> BaseSampler:
        plan = self.plan
        return build_sampler(plan.sampler, seed=plan.seed, number=number, centre=plan.centre)

    def _configuration(self, trial: Trial) -> Configuration:
        """Return the complete configuration: what the space suggests and returns, over defaults.

        Raises:
            ProposalError: The space fails, or gives what cannot be joined.
        """
        try:
            constants = constants_of(self.plan.space, trial)
            proposal = Proposal(params=trial.params, constants=constants)
            config = proposal.configuration(self.plan.architecture, self.plan.defaults)
        except (OSError, StorageInternalError):  # the record's: each suggestion is written to it
            raise
        except Exception as error:
            raise ProposalError(f"the space failed: {error!r}") from error
        return self._complete(config)

    def _goes_on(self, number: int, metrics: EpochMetrics, config: Configuration) -> bool:
        self.time.times.take(number, metrics)
        self._allocation.take(number, metrics)
        if time.monotonic() - self._counted >= COUNTED_EVERY_SECONDS:
            self._count_time()
        if metrics.epoch >= config["epochs"] or metrics.diverged:
            return True
        return self._passes(number, metrics)

    def _passes(self, number: int, metrics: EpochMetrics) -> bool:
        metric = self.record.metric
        score = metric.score(metric.on_validation(metrics))
        return self.rule.goes_on(number, metrics.epoch, score)

    def _verdict(
        self, number: int, metrics: EpochMetrics, config: Configuration, *, goes_on: bool
    ) -> Verdict | None:
        exceeded = self.plan.model_limits.exceeded([metrics])
        if exceeded and not metrics.diverged:
            return TrialState.PRUNED, exceeded
        verdict = super()._verdict(number, metrics, config, goes_on=goes_on)
        if verdict is None and (reached := self.plan.limits.reached(self._standing)):
            return TrialState.PRUNED, reached
        if verdict is None and not self.time.suffices_to_end(number):
            return TrialState.PRUNED, NO_TIME
        return verdict

    def _end(self, number: int, state: TrialState, reason: str) -> float | None:
        value = super()._end(number, state, reason)
        if not reason.startswith(TOO_SLOW):
            self._standing.add(None if value is None else self.record.metric.score(value))
        self._allocation.end(number)
        self.time.look()
        self._count_time()
        return value

    def _standing_so_far(self, known: Sequence[RecordedTrial]) -> Standing:
        """Take the trials that have ended, in the order of their ends; what was not begun for
        lack of time is none of them."""
        standing, score = Standing(), self.record.metric.score
        ended = [trial for trial in known if trial.state.is_finished() and not trial.is_left_out]
        ended.sort(key=lambda trial: (trial.frozen.datetime_complete or datetime.min, trial.number))
        for trial in ended:
            standing.add(None if trial.value is None else score(trial.value))
        return standing

    def _count_time(self) -> None:
        """Record the time since the last call, so that it counts even if the process is killed."""
        now = time.monotonic()
        self.record.add_seconds(now - self._counted)
        self._counted = now

    def _replay_reports(self, known: Sequence[RecordedTrial]) -> set[int]:
        """Give the rule all recorded reports in their order; return the numbers of the trials that
        it stops at their last report."""
        reports = sorted(
            (sequence, trial.number, metrics)
            for trial in known
            for sequence, metrics in trial.in_sequence()
            if trial.config and metrics.epoch < trial.config["epochs"] and not metrics.diverged
        )
        passes = {number: self._passes(number, metrics) for _, number, metrics in reports}
        return {number for number, goes_on in passes.items() if not goes_on}

    def _enough(self) -> str | None:
        """Return why the search is to end, in words; its first trial begins in any case."""
        if self._num_asked and self.time.left() <= 0:
            return NO_TIME
        return self.plan.limits.reached(self._standing)
