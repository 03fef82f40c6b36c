"""Send a run to MLflow: `MLFLOW_TRACKING_URI`, or a database below `--storage`.

The job is an experiment, the run a run of it, and the trials are nested in that one. A trial is
found by its name and the tag `RUN`; the tag `STATE` is written last, when it has all.
"""

import math
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from pathlib import Path
from typing import Any

from optuna.trial import TrialState

from trainables.metrics import EpochMetrics
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.record.recorded_trial import RecordedTrial
from tune_jobs.engine.results.tensorboard.trial_logs import scalars_of
from tune_jobs.engine.results.trackers.tracker import TrackedRun, check_installed

URI = "MLFLOW_TRACKING_URI"
PARENT = "mlflow.parentRunId"
RUN, STATE, REASON = "tune_jobs.run", "state", "end_reason"

ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # a run tells nobody of itself who is not asked for
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # all is tried again later
}
"""What MLflow reads when it is imported, where the user has not said otherwise."""

EPOCHS_PER_CALL = 50
PARAMETERS_PER_CALL = 100
"""MLflow takes 1,000 metrics and 100 parameters at once."""

LONGEST_TAG = 5000


def check(run: TrackedRun) -> None:
    """Raise `RequestError` where MLflow is not installed or would have no place for its files."""
    check_installed("mlflow")
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if run.folder is None and not os.environ.get(URI):
        raise RequestError(
            "--log = 'mlflow': --storage is an object store, which holds no database: set "
            f"{URI} to the address of a server"
        )


def connect(run: TrackedRun) -> "MlflowTracker":
    return MlflowTracker(run)


class MlflowTracker:
    def __init__(self, run: TrackedRun) -> None:
        from mlflow.tracking import MlflowClient

        uri, artifacts = os.environ.get(URI), None
        if not uri:
            assert run.folder is not None
            folder = run.folder.resolve()
            uri, artifacts = f"sqlite:///{folder / 'mlflow.db'}", (folder / "mlartifacts").as_uri()
        self._run = run
        self._client = MlflowClient(tracking_uri=uri)
        found = self._client.get_experiment_by_name(run.job)
        self._experiment = (
            found.experiment_id
            if found
            else self._client.create_experiment(run.job, artifact_location=artifacts)
        )
        self._ids: dict[str, str] = {}
        self._parent = self._open(run.run_id, {"dataset": run.dataset}).info.run_id
        self._client.update_run(self._parent, status="RUNNING")

    def begin(self, name: str, trial: RecordedTrial) -> float:
        started = trial.frozen.datetime_start
        opened = self._open(name, {PARENT: self._parent}, started)
        run = self._ids[name] = opened.info.run_id
        if opened.data.tags.get(STATE) == trial.state.name:
            return math.inf
        self._log_parameters(run, trial.config or {})
        taken = self._client.get_metric_history(run, "accuracy/val")
        return max((metric.step for metric in taken), default=0)

    def add(self, name: str, trial: RecordedTrial, epochs: Sequence[EpochMetrics]) -> None:
        from mlflow.entities import Metric

        started = _milliseconds(trial.frozen.datetime_start)
        ended = _ended_after(trial)
        for first in range(0, len(epochs), EPOCHS_PER_CALL):
            # Times are those of the record: a metric that is sent again is the same one.
            metrics = [
                Metric(tag, value, started + round(1000 * ended[epoch.epoch]), epoch.epoch)
                for epoch in epochs[first : first + EPOCHS_PER_CALL]
                for tag, value in scalars_of(epoch).items()
            ]
            self._client.log_batch(self._ids[name], metrics=metrics)

    def end(self, name: str, trial: RecordedTrial) -> None:
        run, reason = self._ids[name], trial.end_reason or ""
        status = "FAILED" if trial.state == TrialState.FAIL else "FINISHED"
        ended = _milliseconds(trial.frozen.datetime_complete)
        self._client.set_tag(run, REASON, reason[:LONGEST_TAG])
        self._client.set_terminated(run, status, end_time=ended)
        self._client.set_tag(run, STATE, trial.state.name)

    def keep(self, files: Sequence[Path]) -> None:
        for file in files:
            self._client.log_artifact(self._parent, str(file))
        self._client.set_terminated(self._parent)

    def close(self) -> None:
        """Do nothing: each call has been answered."""

    def _open(
        self, name: str, tags: Mapping[str, str], started: datetime | None = None
    ) -> Any:  # mlflow.entities.Run
        wanted = f"tags.`{RUN}` = '{self._run.run_id}' AND attributes.run_name = '{name}'"
        found = self._client.search_runs([self._experiment], filter_string=wanted, max_results=1)
        if found:
            return found[0]
        return self._client.create_run(
            self._experiment,
            start_time=_milliseconds(started),
            tags={RUN: self._run.run_id, **tags},
            run_name=name,
        )

    def _log_parameters(self, run: str, config: Mapping[str, Any]) -> None:
        from mlflow.entities import Param

        parameters = [Param(name, str(value)) for name, value in config.items()]
        for first in range(0, len(parameters), PARAMETERS_PER_CALL):
            self._client.log_batch(run, params=parameters[first : first + PARAMETERS_PER_CALL])


def _ended_after(trial: RecordedTrial) -> dict[int, float]:
    """Return how many seconds of training each epoch had behind it at its end."""
    epochs = sorted(trial.epochs)
    return dict(zip(epochs, accumulate(trial.epochs[e].seconds for e in epochs), strict=True))


def _milliseconds(time: datetime | None) -> int:
    """Return the time since 1970; of `None`, now."""
    return round(1000 * (time or datetime.now()).timestamp())  # Optuna's are local
