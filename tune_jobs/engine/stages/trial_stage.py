"""Take up, report and end trials, in the way that search and retraining have in common."""

import math
from collections.abc import Callable, Container, Sequence
from dataclasses import replace

from optuna.samplers import BaseSampler
from optuna.trial import Trial, TrialState

from trainables.config import Configuration, Runtime
from trainables.metrics import EpochMetrics
from trainables.trials.report import EpochReport
from trainables.trials.task import Stage, TrialTask
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.record.recorded_trial import RecordedTrial

Verdict = tuple[TrialState, str]
"""The state in which a trial ends, and the reason."""


class TrialStage:
    """Decides on the trials of one record, in one stage of a run.

    Args:
        runtime_of: Returns the arithmetic in which a configuration is trained.
    """

    def __init__(
        self, stage: Stage, record: Record, *, runtime_of: Callable[[Configuration], Runtime]
    ) -> None:
        self.record = record
        self._stage = stage
        self._runtime_of = runtime_of
        self._unfinished: list[RecordedTrial] = []
        self._running: dict[int, Configuration] = {}

    def on_report(self, number: int, report: EpochReport) -> bool:
        """Record a report, then decide whether the trial goes on.

        A metric that a user has added may be no finite number where all others are: the trial has
        diverged then too, since no record holds such a value of one that is complete.
        """
        if not math.isfinite(self.record.metric.on_validation(report.metrics)):
            report = replace(report, metrics=replace(report.metrics, diverged=True))
        if not self.record.report(number, report):
            return True  # an epoch repeated after an interruption: it was decided then
        metrics, config = report.metrics, self._running[number]
        goes_on = self._goes_on(number, metrics, config)
        verdict = self._verdict(number, metrics, config, goes_on=goes_on)
        if verdict:
            self._end(number, *verdict)
        return verdict is None

    def on_failure(self, number: int, cause: str) -> None:
        self._end(number, TrialState.FAIL, cause)

    def _goes_on(self, number: int, metrics: EpochMetrics, config: Configuration) -> bool:
        """Return whether early stopping lets the trial go on."""
        return True

    def _sampler(self, number: int) -> BaseSampler:
        raise NotImplementedError

    def _configuration(self, trial: Trial) -> Configuration:
        raise NotImplementedError

    def _verdict(
        self, number: int, metrics: EpochMetrics, config: Configuration, *, goes_on: bool
    ) -> Verdict | None:
        """Return the state and reason with which this epoch ends a trial; `None`: it goes on."""
        if metrics.diverged:
            return TrialState.PRUNED, "diverged"
        if metrics.epoch >= config["epochs"]:
            return TrialState.COMPLETE, "full budget"
        return None if goes_on else (TrialState.PRUNED, "stopped early")

    def _settle(self, left: Sequence[RecordedTrial], stopped: Container[int] = ()) -> None:
        """Take up the trials that earlier sessions left running.

        A driver may have died after it recorded a report and before it recorded the end that was
        due: such a trial ends now.

        Args:
            left: The trials without an end in the record.
            stopped: Numbers of the trials that early stopping ends at their last report.
        """
        for trial in left:
            goes_on = trial.number not in stopped
            last, config = trial.last, trial.config
            verdict = None
            if last and config:
                verdict = self._verdict(trial.number, last, config, goes_on=goes_on)
            if verdict is None:
                self._unfinished.append(trial)
            else:
                self._restart(trial)
                self._end(trial.number, *verdict)

    def _ask(self, number: int) -> Trial:
        trial = self.record.ask(self._sampler(number), self._configuration)
        self._running[trial.number] = trial.user_attrs["config"]
        return trial

    def _restart(self, left: RecordedTrial) -> Trial:
        trial = self.record.restart(left, self._sampler(left.number), self._configuration)
        self._running[trial.number] = trial.user_attrs["config"]
        return trial

    def _end(self, number: int, state: TrialState, reason: str) -> float | None:
        """Record an end; return the metric at the full budget, `None` where it was not reached."""
        self._running.pop(number, None)
        return self.record.end(number, state, reason)

    def _task(self, trial: Trial, *, seed: int, goes_on_as: str = "") -> TrialTask:
        config = self._running[trial.number]
        return TrialTask(
            stage=self._stage,
            number=trial.number,
            name=self.record.name_of(trial),
            seed=seed,
            config=config,
            runtime=self._runtime_of(config),
            epochs_reported=self.record.epochs_reported(trial.number),
            goes_on_as=goes_on_as,
        )
