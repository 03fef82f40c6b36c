"""Ray Tune's loop over a source of tasks."""

import os
import time
from typing import Any

import pytest
import ray
from ray import tune

from trainables.config import Runtime
from trainables.trials.report import ErrorReport, Report
from trainables.trials.task import Stage, Task, TrialTask
from tune_jobs.engine.ray_tune.bridge import pack_report
from tune_jobs.engine.ray_tune.tuner import run_tasks
from tune_jobs.engine.run_state.resources import Resources

PATIENCE_SECONDS = 120


class SlowToStart(tune.Trainable):  # type: ignore[misc]
    """Starting a process takes longer than a trial in it."""

    def setup(self, config: dict[str, Any]) -> None:
        time.sleep(2)

    def step(self) -> dict[str, Any]:
        time.sleep(0.3)
        return {**pack_report(ErrorReport(str(os.getpid())))}

    def save_checkpoint(self, checkpoint_dir: str) -> None: ...

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        return True


class UntilTwoProcesses:
    """A source of short trials, the first one alone, as the probe is; it ends when two processes
    have reported, or it is too late."""

    def __init__(self) -> None:
        self.processes: set[str] = set()
        self._asked = 0
        self._running = 0
        self._deadline = time.monotonic() + PATIENCE_SECONDS

    @property
    def _enough(self) -> bool:
        return len(self.processes) == 2 or time.monotonic() > self._deadline

    @property
    def finished(self) -> bool:
        return self._enough and not self._running

    def next_task(self) -> Task | None:
        is_first_running = self._asked == 1 and not self.processes
        if self._enough or is_first_running:
            return None
        self._asked += 1
        self._running += 1
        return TrialTask(
            stage=Stage.SEARCH,
            number=self._asked,
            name=f"trial-{self._asked}",
            seed=0,
            config={},
            runtime=Runtime(device="cpu"),
        )

    def on_start(self, task: Task) -> None: ...

    def on_report(self, task: Task, report: Report) -> bool:
        assert isinstance(report, ErrorReport)
        self.processes.add(report.message)
        self._running -= 1
        return False

    def on_failure(self, task: Task, cause: str) -> None:
        raise AssertionError(cause)


@pytest.mark.usefixtures("one_ray")
def test_trials_shorter_than_the_start_of_a_process_use_every_slot() -> None:
    cpus = ray.cluster_resources()["CPU"] / 2
    source = UntilTwoProcesses()
    trainable: Any = SlowToStart
    run_tasks(source, trainable, Resources(cpus=cpus, gpus=0.0), max_failures=0)
    assert len(source.processes) == 2
