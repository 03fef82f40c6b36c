"""The record: an Optuna study that every proposal, report and end is written into first."""

import math
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import BaseStorage
from optuna.study import Study
from optuna.trial import FixedTrial, FrozenTrial, Trial, TrialState

from tune_jobs.engine.job import Space
from tune_jobs.engine.search.early_stopping import StoppingRule

Figures = Mapping[str, Any]
AnyTrial = Trial | FrozenTrial


OF_AN_ATTEMPT = ("resumed_from", "corrupt")
"""What a report says of the attempt that makes it, not of the epoch."""

MUST_REPEAT = ("train_loss", "val_loss", "val_accuracy")


class Ended(NamedTuple):
    """A trial that an earlier session has ended."""

    name: str
    state: TrialState
    value: float | None


class Listener(Protocol):
    """Told what the record has just been told: the live view, TensorBoard. `started` is a proposal,
    `training` a process that begins on it, once the cluster has room."""

    def begin(self, num_trials: int, rule: StoppingRule, earlier: Sequence[Ended]) -> None: ...
    def started(self, name: str, config: Mapping[str, Any]) -> None: ...
    def training(self, name: str, epochs_done: int) -> None: ...
    def reported(self, name: str, figures: Figures) -> None: ...
    def ended(self, name: str, state: TrialState, reason: str) -> None: ...


@dataclass(slots=True)
class Running:
    """A trial that has no end yet: Optuna's handle, and the figures that the record has of it."""

    trial: Trial
    reported: dict[int, dict[str, Any]]

    @property
    def last_epoch(self) -> int:
        return max(self.reported, default=0)


class Record:
    """One study: asks for trials, takes reports and ends.

    A trial's user attributes are `config` (complete and flat), `origin`, `epoch_<n>` (the figures
    of epoch n, with their `sequence` in the study, and `diverged` where one was not finite) and, at
    its end, `end_reason`; `intermediate_values[n]` is `val_accuracy`. A trial that was interrupted
    has `resumed` besides: the epochs it went on from, and checkpoints that were not intact.
    """

    def __init__(
        self, study: Study, name_of: Callable[[AnyTrial], str], listeners: Sequence[Listener]
    ) -> None:
        self.study = study
        self.name_of = name_of
        self._listeners = listeners
        self._running: dict[int, Running] = {}
        self._sequence = 1 + max(
            (f.get("sequence", 0) for t in self.trials() for f in reports_of(t).values()),
            default=0,
        )

    @classmethod
    def open(
        cls,
        storage: BaseStorage,
        study_name: str,
        name_of: Callable[[AnyTrial], str],
        listeners: Sequence[Listener] = (),
    ) -> "Record":
        """The study in the storage, made if it is not there; `name_of` names its trials."""
        study = optuna.create_study(
            storage=storage,
            study_name=study_name,
            direction="maximize",
            load_if_exists=True,
        )
        return cls(study, name_of, listeners)

    def trials(self, *states: TrialState) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False, states=states or None)

    def ended(self) -> list[Ended]:
        finished = [trial for trial in self.trials() if trial.state.is_finished()]
        return [Ended(self.name_of(t), t.state, t.value) for t in finished]

    def enqueue(self, params: Mapping[str, Any], **attributes: Any) -> None:
        self.study.enqueue_trial(dict(params), user_attrs=attributes)

    def ask(self, sampler: BaseSampler, complete: Callable[[Trial], dict[str, Any]]) -> Trial:
        """A new trial, or the next enqueued one; `complete` makes its whole configuration."""
        self.study.sampler = sampler
        return self._start(Running(self.study.ask(), {}), complete)

    def restart(
        self, unfinished: FrozenTrial, sampler: BaseSampler, complete: Callable[[Trial], Any]
    ) -> Trial:
        """A trial that an earlier session left running, under its own number."""
        self.study.sampler = sampler
        trial = Trial(self.study, unfinished._trial_id)
        if "config" not in unfinished.user_attrs:
            _forget_parameters(trial)
        running = Running(trial, dict(sorted(reports_of(unfinished).items())))
        for epoch, figures in running.reported.items():
            if epoch not in unfinished.intermediate_values and not figures.get("diverged"):
                running.trial.report(figures["val_accuracy"], epoch)
        return self._start(running, complete)

    def _start(self, running: Running, complete: Callable[[Trial], dict[str, Any]]) -> Trial:
        trial = running.trial
        if "config" not in trial.user_attrs:
            trial.set_user_attr("config", complete(trial))
        self._running[trial.number] = running
        for listener in self._listeners:
            listener.started(self.name_of(trial), trial.user_attrs["config"])
        return trial

    @property
    def running(self) -> set[str]:
        """The names of the trials that have not ended."""
        return {self.name_of(trial) for trial in self.trials(TrialState.RUNNING)}

    def last_report(self, number: int) -> dict[str, Any] | None:
        """The figures of a running trial's last recorded epoch."""
        running = self._running[number]
        return running.reported.get(running.last_epoch)

    def report(self, number: int, figures: Figures) -> bool:
        """Write one epoch's figures -> whether they are new.

        An epoch that an earlier attempt has reported stays as it is; a repetition that differs is
        noted, since on one machine it should not.
        """
        running, epoch = self._running[number], figures["epoch"]
        trial, plain = running.trial, {k: v for k, v in figures.items() if k not in OF_AN_ATTEMPT}
        if "resumed_from" in figures and epoch == figures["resumed_from"] + 1:
            attempt = {k: figures[k] for k in OF_AN_ATTEMPT}
            trial.set_user_attr("resumed", [*trial.user_attrs.get("resumed", []), attempt])
        finite = {k: v for k, v in plain.items() if not _is_nonfinite(v)}
        if epoch in running.reported:
            if _differ(running.reported[epoch], finite):
                trial.set_user_attr(f"repeated_{epoch}", finite)
            return False
        if len(finite) < len(plain):
            finite["diverged"] = True
        finite["sequence"] = self._sequence
        self._sequence += 1
        trial.set_user_attr(f"epoch_{epoch}", finite)
        running.reported[epoch] = finite
        if "diverged" not in finite:
            trial.report(finite["val_accuracy"], epoch)
        for listener in self._listeners:
            listener.reported(self.name_of(trial), finite)
        return True

    def end(self, number: int, state: TrialState, reason: str) -> None:
        """COMPLETE takes the last reported value; PRUNED and FAIL say why in `end_reason`."""
        running = self._running.pop(number)
        running.trial.set_user_attr("end_reason", reason)
        value = None
        if state == TrialState.COMPLETE:
            value = running.reported[running.last_epoch]["val_accuracy"]
        self.study.tell(number, value, state=state)
        for listener in self._listeners:
            listener.ended(self.name_of(running.trial), state, reason)

    @property
    def seconds(self) -> float:
        """Wall time of all sessions, each to its last report or end."""
        return float(self.study.user_attrs.get("seconds", 0.0))

    def add_seconds(self, seconds: float) -> None:
        self.study.set_user_attr("seconds", self.seconds + seconds)

    def group_ends(self) -> str:
        """How the trials ended, most frequent first, a line each."""
        reasons = Counter(t.user_attrs.get("end_reason", "unfinished") for t in self.trials())
        return "\n".join(f"  {count} x {reason}" for reason, count in reasons.most_common())


def build_sampler(name: str, *, seed: int, number: int) -> BaseSampler:
    """The sampler that proposes trial `number`: seeded by (seed, number), since its own state is
    not in the study. TPE: Bergstra et al. 2011; multivariate, and with the constant liar for
    trials that still run (https://optuna.readthedocs.io, TPESampler)."""
    own_seed = (seed * 1_000_003 + number) % 2**32
    if name == "random":
        return RandomSampler(seed=own_seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return TPESampler(seed=own_seed, multivariate=True, group=True, constant_liar=True)


def replay(space: Space, config: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `space` makes of `config`: (suggested parameters, constants).

    Raises:
        ValueError: The space suggests a name that `config` lacks.
    """
    trial = FixedTrial(dict(config))
    constants = dict(space(trial) or {})  # type: ignore[arg-type]
    return {name: config[name] for name in trial.params}, constants


def reports_of(trial: FrozenTrial) -> dict[int, dict[str, Any]]:
    """Epoch -> the figures that the record has of it."""
    return {
        int(name.removeprefix("epoch_")): figures
        for name, figures in trial.user_attrs.items()
        if name.startswith("epoch_")
    }


def _forget_parameters(trial: Trial) -> None:
    """For a session that died amid a proposal: all parameters are drawn again, since a draw that
    were left out would change those after it. The record gets the same values twice."""
    trial._cached_frozen_trial = deepcopy(trial._cached_frozen_trial)
    trial._cached_frozen_trial.params = {}
    trial._cached_frozen_trial.distributions = {}


def _differ(recorded: Figures, repeated: Figures) -> bool:
    return any(recorded.get(name) != repeated.get(name) for name in MUST_REPEAT)


def _is_nonfinite(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
