"""Ray Tune's loop over a source of trials."""

import os
import time
from collections.abc import Mapping
from typing import Any

import pytest
import ray
from ray import tune

from tune_jobs.engine.ray_tune.tuner import run_trials
from tune_jobs.engine.run.resources import Resources

PATIENCE_SECONDS = 120


class SlowToStart(tune.Trainable):  # type: ignore[misc]
    """Starting a process takes longer than a trial in it."""

    def setup(self, config: dict[str, Any]) -> None:
        time.sleep(2)

    def step(self) -> dict[str, Any]:
        time.sleep(0.3)
        return {"figures": {"process": os.getpid()}}

    def save_checkpoint(self, checkpoint_dir: str) -> None: ...

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        return True


class UntilTwoProcesses:
    """A source of short trials, the first one alone, as the probe is; it ends when two processes
    have reported, or it is too late."""

    def __init__(self) -> None:
        self.processes: set[int] = set()
        self._asked = 0
        self._running = 0
        self._deadline = time.monotonic() + PATIENCE_SECONDS

    @property
    def _enough(self) -> bool:
        return len(self.processes) == 2 or time.monotonic() > self._deadline

    @property
    def finished(self) -> bool:
        return self._enough and not self._running

    def next_trial(self) -> dict[str, Any] | None:
        is_first_running = self._asked == 1 and not self.processes
        if self._enough or is_first_running:
            return None
        self._asked += 1
        self._running += 1
        return {"name": f"trial-{self._asked}"}

    def on_start(self, trial: Mapping[str, Any]) -> None: ...

    def on_report(self, trial: Mapping[str, Any], figures: Mapping[str, Any]) -> bool:
        self.processes.add(figures["process"])
        self._running -= 1
        return False

    def on_attempt_failed(self, trial: Mapping[str, Any], cause: str) -> None:
        raise AssertionError(cause)

    def on_failure(self, trial: Mapping[str, Any], cause: str) -> None:
        raise AssertionError(cause)


@pytest.mark.usefixtures("one_ray")
def test_trials_shorter_than_the_start_of_a_process_use_every_slot() -> None:
    cpus = ray.cluster_resources()["CPU"] / 2
    source = UntilTwoProcesses()
    trainable: Any = SlowToStart
    run_trials(source, trainable, Resources(cpus=cpus, gpus=0.0), max_failures=0)
    assert len(source.processes) == 2
