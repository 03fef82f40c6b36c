"""Write every proposal, report and end into an Optuna study, before anything acts on it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from trainables.config import Configuration
from trainables.config.validation import from_json, to_json
from trainables.metrics import EpochMetrics, Metric
from trainables.trials.report import EpochReport, Resumption
from tune_jobs.engine.job import Published
from tune_jobs.engine.record.listener import Ended, Listener, Past
from tune_jobs.engine.record.recorded_trial import RecordedTrial, differ

optuna.logging.set_verbosity(optuna.logging.WARNING)

PUBLISHED_BEFORE = "published_before"
"""An attribute of a study that began before published trials carried their report: it holds the
reports of the first trials. It is written once, since a later session's job may have other ones."""

AnyTrial = Trial | FrozenTrial
Name = Callable[[AnyTrial], str]


class ProposalError(Exception):
    """A proposal came to no configuration; the record has it as a failed trial, with the cause."""


@dataclass(slots=True)
class Running:
    """Holds a trial that has not ended: Optuna's handle, and the epochs that the record has."""

    trial: Trial
    epochs: dict[int, EpochMetrics]

    @property
    def last_epoch(self) -> int:
        return max(self.epochs, default=0)


class Record:
    """Wraps one study: asks for trials, takes reports and ends. `RecordedTrial` lists the contents.

    Args:
        name_of: Names a trial, and so its folder.
        metric: The metric that the study optimises.
        listeners: Hear what the record has just been told.
        published_before: The published configurations in `run.json`, for a run that began before
            its trials carried them.
    """

    def __init__(
        self,
        study: Study,
        name_of: Name,
        metric: Metric,
        listeners: Sequence[Listener] = (),
        published_before: Sequence[Published] = (),
    ) -> None:
        self.study = study
        self.name_of = name_of
        self.metric = metric
        self._listeners = listeners
        kept = study.user_attrs.get(PUBLISHED_BEFORE)
        self._published_before = (
            published_before if kept is None else [from_json(Published, p) for p in kept]
        )
        self._running: dict[int, Running] = {}
        # Reports are numbered over all trials: a stopping rule is rebuilt from them in their order,
        # which Optuna does not keep.
        self._sequence = 1 + max((trial.last_sequence for trial in self.trials()), default=0)

    @classmethod
    def open(
        cls,
        storage: BaseStorage,
        study_name: str,
        name_of: Name,
        metric: Metric,
        listeners: Sequence[Listener] = (),
        published_before: Sequence[Published] = (),
    ) -> "Record":
        """Open the study in the storage, or make it if it is not there."""
        study = optuna.create_study(
            storage=storage,
            study_name=study_name,
            direction=metric.direction,
            load_if_exists=True,
        )
        begun = map(RecordedTrial, study.get_trials(deepcopy=False))
        is_earlier = not all(trial.carries_its_report for trial in begun)
        if is_earlier and PUBLISHED_BEFORE not in study.user_attrs:
            study.set_user_attr(PUBLISHED_BEFORE, to_json(published_before))
        return cls(study, name_of, metric, listeners, published_before)

    def trials(self, *states: TrialState) -> list[RecordedTrial]:
        """Return all trials, or those in one of the states, by number."""
        return [
            RecordedTrial(trial, self._published_before)
            for trial in self.study.get_trials(deepcopy=False, states=states or None)
        ]

    def trial(self, number: int) -> RecordedTrial:
        # A study's public calls list all trials.
        storage, study_id = self.study._storage, self.study._study_id
        trial_id = storage.get_trial_id_from_study_id_trial_number(study_id, number)
        return RecordedTrial(storage.get_trial(trial_id), self._published_before)

    def best(self, top: int | None = None) -> list[RecordedTrial]:
        """Return the trials that reached their full budget, or the `top` best, the best first."""
        complete = self.trials(TrialState.COMPLETE)
        return sorted(complete, key=lambda t: (-self.metric.score(t.value or 0.0), t.number))[:top]

    def ended(self) -> list[Ended]:
        """Return the trials that earlier sessions have ended."""
        finished = [trial for trial in self.trials() if trial.state.is_finished()]
        return [Ended(self.name_of(t.frozen), t.state, t.value, t.past) for t in finished]

    def enqueue(self, params: Mapping[str, Any], /, **attributes: Any) -> None:
        """Have `ask` give these parameters before it asks the sampler; attributes must be JSON."""
        self.study.enqueue_trial(dict(params), user_attrs=attributes)

    def ask(self, sampler: BaseSampler, complete: Callable[[Trial], Configuration]) -> Trial:
        """Begin a new trial, or the next enqueued one; `complete` makes its whole configuration.

        Raises:
            ProposalError: `complete` raised it; the trial is recorded as failed.
        """
        self.study.sampler = sampler
        return self._start(Running(self.study.ask(), {}), complete)

    def restart(
        self,
        unfinished: RecordedTrial,
        sampler: BaseSampler,
        complete: Callable[[Trial], Configuration],
    ) -> Trial:
        """Take up a trial that an earlier session left running, under its own number.

        Raises:
            ProposalError: As `ask` does.
        """
        self.study.sampler = sampler
        # Optuna hands out a `Trial` for new ones alone, so this one is made by its storage's id.
        trial = Trial(self.study, unfinished.frozen._trial_id)
        if unfinished.config is None:
            _forget_parameters(trial)
        running = Running(trial, dict(sorted(unfinished.epochs.items())))
        # That session may have died between the two writes of an epoch in `report`.
        for epoch, metrics in running.epochs.items():
            if epoch not in unfinished.frozen.intermediate_values and not metrics.diverged:
                trial.report(self.metric.on_validation(metrics), epoch)
        return self._start(running, complete)

    def _start(self, running: Running, complete: Callable[[Trial], Configuration]) -> Trial:
        trial = running.trial
        self._running[trial.number] = running
        try:
            if "config" not in trial.user_attrs:
                config = complete(trial)
                if source := getattr(self.study.sampler, "source", ""):
                    trial.set_user_attr("source", source)
                # Last: a proposal that has its configuration is not made again.
                trial.set_user_attr("config", to_json(config))
        except ProposalError as error:
            self._tell_started(trial)
            self.end(trial.number, TrialState.FAIL, str(error))
            raise
        self._tell_started(trial)
        return trial

    def _tell_started(self, trial: Trial) -> None:
        attributes = trial.user_attrs
        config = {**attributes.get("config", {}), **attributes.get("params", trial.params)}
        epochs = self._running[trial.number].epochs.values()
        past = Past(attributes.get("source", ""), list(epochs))
        for listener in self._listeners:
            listener.started(self.name_of(trial), config, past)

    @property
    def running(self) -> set[str]:
        """Return the names of the trials that have not ended."""
        return {self.name_of(trial.frozen) for trial in self.trials(TrialState.RUNNING)}

    def epochs_reported(self, number: int) -> int:
        """Return the last epoch that the record has of a running trial."""
        return self._running[number].last_epoch

    def report(self, number: int, report: EpochReport) -> bool:
        """Write one epoch's metrics; return whether they are new.

        An epoch that an earlier attempt has reported stays as it is; a repetition that differs is
        noted, since on one machine it should not.
        """
        running, metrics = self._running[number], report.metrics
        trial, epoch = running.trial, metrics.epoch
        if report.resumption and epoch == report.resumption.epoch + 1:
            _note_resumption(trial, report.resumption)
        if epoch in running.epochs:
            if differ(running.epochs[epoch], metrics):
                trial.set_user_attr(f"repeated_{epoch}", metrics.to_json())
            return False
        trial.set_user_attr(f"epoch_{epoch}", {**metrics.to_json(), "sequence": self._sequence})
        self._sequence += 1
        running.epochs[epoch] = metrics
        if not metrics.diverged:
            trial.report(self.metric.on_validation(metrics), epoch)
        for listener in self._listeners:
            listener.reported(self.name_of(trial), metrics)
        return True

    def end(self, number: int, state: TrialState, reason: str) -> float | None:
        """Record a trial's end and the reason; return the value that a COMPLETE one has, the last
        reported one."""
        running = self._running.pop(number)
        running.trial.set_user_attr("end_reason", reason)
        value = None
        if state == TrialState.COMPLETE:
            value = self.metric.on_validation(running.epochs[running.last_epoch])
        self.study.tell(number, value, state=state)
        for listener in self._listeners:
            listener.ended(self.name_of(running.trial), state, reason)
        return value

    def skip(self, reason: str, **attributes: Any) -> None:
        """Record a trial that will not be trained, and why: PRUNED, with no epoch."""
        attributes["end_reason"] = reason
        trial = create_trial(state=TrialState.PRUNED, user_attrs=attributes)
        self.study.add_trial(trial)
        for listener in self._listeners:
            listener.skipped(self.name_of(trial), reason)

    @property
    def seconds(self) -> float:
        """Return the wall time of all sessions, each to its last report or end."""
        return float(self.study.user_attrs.get("seconds", 0.0))

    def add_seconds(self, seconds: float) -> None:
        self.study.set_user_attr("seconds", self.seconds + seconds)

    @property
    def num_rounds(self) -> int | None:
        """Return after how many seeds the retraining ended for lack of time; `None`: it did not."""
        rounds: int | None = self.study.user_attrs.get("rounds")
        return rounds

    def end_rounds(self, num_rounds: int | None) -> None:
        self.study.set_user_attr("rounds", num_rounds)

    def group_ends(self) -> str:
        """Count the reasons for which trials ended; return a line each, the most frequent first."""
        reasons = Counter(trial.end_reason or "unfinished" for trial in self.trials())
        return "\n".join(f"  {count} x {reason}" for reason, count in reasons.most_common())


def _forget_parameters(trial: Trial) -> None:
    """Have all parameters drawn again, after a session that died amid a proposal.

    The draws follow one seed, so leaving one out would change those after it; the record gets the
    same values twice. Optuna has no call for this: `suggest_*` returns what its private cache of
    the trial holds. The cache is copied first, since it may be the storage's own object.
    """
    trial._cached_frozen_trial = deepcopy(trial._cached_frozen_trial)
    trial._cached_frozen_trial.params = {}
    trial._cached_frozen_trial.distributions = {}


def _note_resumption(trial: Trial, resumption: Resumption) -> None:
    noted = trial.user_attrs.get("resumed", [])
    stored = {"resumed_from": resumption.epoch, "corrupt": ", ".join(resumption.corrupt)}
    trial.set_user_attr("resumed", [*noted, stored])
