"""The record: an Optuna study that every proposal, report and end is written into first."""

import math
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import Study
from optuna.trial import FixedTrial, FrozenTrial, Trial, TrialState

from tune_jobs.engine.job import Space
from tune_jobs.engine.search.stopping import StoppingRule

optuna.logging.set_verbosity(optuna.logging.WARNING)

Figures = Mapping[str, Any]
AnyTrial = Trial | FrozenTrial


class Listener(Protocol):
    """Told what the record has just been told: the live view, TensorBoard."""

    def begin(self, num_trials: int, rule: StoppingRule) -> None: ...
    def started(self, name: str, config: Mapping[str, Any]) -> None: ...
    def reported(self, name: str, figures: Figures) -> None: ...
    def ended(self, name: str, state: TrialState, reason: str) -> None: ...


class Record:
    """One study: asks for trials, takes reports and ends.

    A trial's user attributes are `config` (complete and flat), `origin`, `epoch_<n>` (the figures
    of epoch n) and, at its end, `end_reason`; `intermediate_values[n]` is `val_accuracy`.
    """

    def __init__(
        self, study: Study, name_of: Callable[[AnyTrial], str], listeners: Sequence[Listener]
    ) -> None:
        self.study = study
        self.name_of = name_of
        self._listeners = listeners
        self._running: dict[int, Trial] = {}

    @classmethod
    def open(
        cls,
        journal: Path,
        study_name: str,
        name_of: Callable[[AnyTrial], str],
        listeners: Sequence[Listener] = (),
    ) -> "Record":
        """The study in the journal file, made if it is not there; `name_of` names its trials."""
        storage = JournalStorage(JournalFileBackend(str(journal)))
        study = optuna.create_study(
            storage=storage, study_name=study_name, direction="maximize", load_if_exists=True
        )
        return cls(study, name_of, listeners)

    def trials(self, *states: TrialState) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False, states=states or None)

    def enqueue(self, params: Mapping[str, Any], **attributes: Any) -> None:
        self.study.enqueue_trial(dict(params), user_attrs=attributes)

    def ask(self, sampler: BaseSampler, complete: Callable[[Trial], dict[str, Any]]) -> Trial:
        """A new trial, or the next enqueued one; `complete` makes its whole configuration."""
        self.study.sampler = sampler
        return self._start(self.study.ask(), complete)

    def restart(
        self, unfinished: FrozenTrial, sampler: BaseSampler, complete: Callable[[Trial], Any]
    ) -> Trial:
        """A trial that an earlier session left running, under its own number."""
        self.study.sampler = sampler
        return self._start(Trial(self.study, unfinished._trial_id), complete)

    def _start(self, trial: Trial, complete: Callable[[Trial], dict[str, Any]]) -> Trial:
        if "config" not in trial.user_attrs:
            trial.set_user_attr("config", complete(trial))
        self._running[trial.number] = trial
        for listener in self._listeners:
            listener.started(self.name_of(trial), trial.user_attrs["config"])
        return trial

    def report(self, number: int, figures: Figures) -> None:
        """Write one epoch's figures, unless an earlier session has written that epoch."""
        epoch = figures["epoch"]
        trial = self._running[number]
        attribute = f"epoch_{epoch}"
        if attribute in trial.user_attrs:
            return
        finite = {k: v for k, v in figures.items() if not _is_nonfinite(v)}
        trial.set_user_attr(attribute, finite)
        if "val_accuracy" in finite and len(finite) == len(figures):
            trial.report(finite["val_accuracy"], epoch)
        for listener in self._listeners:
            listener.reported(self.name_of(trial), finite)

    def end(self, number: int, state: TrialState, reason: str) -> None:
        """COMPLETE takes the last reported value; PRUNED and FAIL say why in `end_reason`."""
        trial = self._running.pop(number)
        trial.set_user_attr("end_reason", reason)
        value = None
        if state == TrialState.COMPLETE:
            reports = self.study._storage.get_trial(trial._trial_id).intermediate_values
            value = reports[max(reports)]
        self.study.tell(number, value, state=state)
        for listener in self._listeners:
            listener.ended(self.name_of(trial), state, reason)

    @property
    def seconds(self) -> float:
        """Wall time of all sessions so far."""
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


def _is_nonfinite(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
