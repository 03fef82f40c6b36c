"""Ray Tune's loop over a source of tasks."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import ray
from ray import tune

from tests.conftest import CREDENTIALS
from trainables.config import Runtime
from trainables.trials.report import ErrorReport, Report
from trainables.trials.task import Stage, Task, TrialTask
from tune_jobs.engine.ray_tune.bridge import pack_report
from tune_jobs.engine.ray_tune.tuner import run_tasks
from tune_jobs.engine.run_state.resources import Resources

PATIENCE_SECONDS = 120

ROOT = Path(__file__).parents[4]


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


class Rounds:
    """A source of rounds of trials: those of a round end together, and the next ones come then."""

    def __init__(self, num_rounds: int, size: int) -> None:
        self.processes: set[str] = set()
        self._size = size
        self._left = num_rounds * size
        self._begun = 0
        self._running: set[str] = set()
        self._reported: set[str] = set()
        self._deadline = time.monotonic() + PATIENCE_SECONDS

    @property
    def finished(self) -> bool:
        return not (self._left or self._running)

    def next_task(self) -> Task | None:
        is_round_full = self._begun == self._size
        if is_round_full and not self._running:
            self._begun, self._reported = 0, set()
        elif is_round_full:
            return None
        if not self._left:
            return None
        self._left -= 1
        self._begun += 1
        name = f"trial-{self._left}"
        self._running.add(name)
        return TrialTask(
            stage=Stage.RETRAIN,
            number=self._left,
            name=name,
            seed=0,
            config={},
            runtime=Runtime(device="cpu"),
        )

    def on_start(self, task: Task) -> None: ...

    def on_report(self, task: Task, report: Report) -> bool:
        assert isinstance(report, ErrorReport)
        self.processes.add(report.message)
        self._reported.add(task.name)
        goes_on = len(self._reported) < self._size and time.monotonic() < self._deadline
        if not goes_on:
            self._running.discard(task.name)
        return goes_on

    def on_failure(self, task: Task, cause: str) -> None:
        raise AssertionError(cause)


@pytest.mark.usefixtures("one_ray")
def test_processes_are_kept_from_round_to_round() -> None:
    cpus = ray.cluster_resources()["CPU"] / 2
    source = Rounds(num_rounds=3, size=2)
    trainable: Any = SlowToStart
    run_tasks(source, trainable, Resources(cpus=cpus, gpus=0.0), max_failures=0)
    assert len(source.processes) == 2


IN_A_RAY_OF_ITS_OWN = """
import os
import ray
from tests.tune_jobs.engine.ray_tune.test_contract import family
from tests.tune_jobs.engine.ray_tune.test_tuner import Rounds, SlowToStart
from tune_jobs.engine.cluster.start import ray_cluster
from tune_jobs.engine.ray_tune.tuner import run_tasks
from tune_jobs.engine.run_state.resources import Resources

with ray_cluster(None, verbose=False):
    ray.get(ray.remote(lambda: None).remote())
    before = {str(pid) for pid in family(os.getpid())}
    source = Rounds(num_rounds=1, size=1)
    run_tasks(source, SlowToStart, Resources(cpus=1, gpus=0.0), max_failures=0)
    assert source.processes <= before, (source.processes, before)
"""


def test_a_trial_takes_a_process_that_ray_has_started_already() -> None:
    """Where Ray Tune gives a trial credentials of the driver's, it starts another one for it."""
    environment = {name: value for name, value in os.environ.items() if name not in CREDENTIALS}
    done = subprocess.run(
        [sys.executable, "-c", IN_A_RAY_OF_ITS_OWN],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
