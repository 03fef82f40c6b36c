"""Send a run to Weights & Biases, or, with `WANDB_MODE=offline`, into files for `wandb sync`.

The job is a project and the run a group, in which each trial is a run. A trial's run is found by
its id, which is made of its name; a run that has all is marked in its folder here.
"""

import math
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from optuna.trial import TrialState

from trainables.metrics import EpochMetrics
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.record.recorded_trial import RecordedTrial
from tune_jobs.engine.results.tensorboard.trial_logs import scalars_of
from tune_jobs.engine.results.trackers.tracker import TrackedRun, check_installed

STATE, REASON = "state", "end_reason"

WITHOUT_KEY = ("offline", "disabled")

ENDED = "ended"
"""The mark in the folder of a run that has all; it holds the trial's state."""


def check(run: TrackedRun) -> None:
    """Raise `RequestError` where the client is not installed, or has no key."""
    check_installed("wandb")
    import wandb

    if _mode() not in WITHOUT_KEY and not wandb.login(prompt=False, verify=False):
        raise RequestError(
            "--log = 'wandb': there is no key: run `wandb login`, or set WANDB_API_KEY, or "
            "WANDB_MODE=offline to write files for `wandb sync`"
        )


def _mode() -> str:
    """Return `WANDB_MODE` as it is now: the client reads it once in a process."""
    import wandb

    return os.environ.get("WANDB_MODE") or str(wandb.setup().settings.mode)


def connect(run: TrackedRun) -> "WandbTracker":
    return WandbTracker(run)


class WandbTracker:
    def __init__(self, run: TrackedRun) -> None:
        self._run = run
        self._folder = Path(os.environ.get("WANDB_DIR") or run.folder or ".").resolve()
        self._open: dict[str, Any] = {}  # wandb.Run, by the trial's name

    def begin(self, name: str, trial: RecordedTrial) -> float:
        marks = [folder / ENDED for folder in self._folders(name)]
        if any(mark.exists() and mark.read_text() == trial.state.name for mark in marks):
            return math.inf
        stage = name.partition("-")[0]
        if name not in self._open:
            self._open[name] = self._init(name, stage, trial.config or {})
        last: int = self._open[name].step - 1
        return max(0, last)  # the service gives the step that comes next

    def add(self, name: str, trial: RecordedTrial, epochs: Sequence[EpochMetrics]) -> None:
        for metrics in epochs:
            self._open[name].log(scalars_of(metrics), step=metrics.epoch, commit=True)

    def end(self, name: str, trial: RecordedTrial) -> None:
        run = self._open[name]
        run.summary.update({STATE: trial.state.name, REASON: trial.end_reason or ""})
        run.finish(exit_code=1 if trial.state == TrialState.FAIL else 0)
        Path(run.settings.sync_dir, ENDED).write_text(trial.state.name)
        del self._open[name]

    def keep(self, files: Sequence[Path]) -> None:
        import wandb

        run = self._init(self._run.run_id, "results", {"dataset": self._run.dataset})
        artifact = wandb.Artifact(f"results-{self._run.run_id}", type="results")
        for file in files:
            artifact.add_file(str(file))
        run.log_artifact(artifact)
        run.finish()

    def close(self) -> None:
        for run in self._open.values():
            run.finish()

    def _init(self, name: str, stage: str, config: Mapping[str, Any]) -> Any:
        import wandb

        for folder in self._folders(name):
            if folder.name.startswith("offline-"):  # another session's part, which is sent again
                shutil.rmtree(folder)
        return wandb.init(
            project=os.environ.get("WANDB_PROJECT") or self._run.job,
            group=self._run.run_id,
            job_type=stage,
            name=name,
            id=self._id(name),
            resume="allow",
            config=dict(config),
            dir=self._folder,
            mode=_mode(),
            # What is sent is the record, the leaderboard and the report: not the terminal or the
            # code, which may hold what is nobody's business.
            settings=wandb.Settings(
                reinit="create_new",  # trials run side by side
                silent=True,
                console="off",
                disable_code=True,
                disable_git=True,
                x_disable_meta=True,
                x_disable_stats=True,
                x_disable_machine_info=True,
                x_save_requirements=False,
            ),
        )

    def _folders(self, name: str) -> list[Path]:
        """List the folders that sessions here have left of a run, each `MODE-TIME-ID`."""
        pattern = re.compile(rf"(offline-)?run-\d+_\d+-{re.escape(self._id(name))}")
        return [
            folder
            for folder in sorted(self._folder.glob("wandb/*"))
            if pattern.fullmatch(folder.name)
        ]

    def _id(self, name: str) -> str:
        return f"{self._run.job}.{self._run.run_id}.{name}"
