"""Be Ray Tune's scheduler: have each report recorded, then decided on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ray.tune.schedulers import FIFOScheduler

from tune_jobs.engine.ray_tune.bridge import Bridge
from tune_jobs.engine.ray_tune.controller import (
    allow_pending,
    find_unstarted,
    forget_ended,
    keep_processes,
)
from tune_jobs.engine.ray_tune.failures import explain


class BridgeScheduler(FIFOScheduler):  # type: ignore[misc]
    """Passes each report to the bridge and answers as the source decides.

    Ray calls a scheduler first and, where it answers STOP, never calls the searcher: this is
    the one place where every report comes by.

    Args:
        count_slots: Returns the number of trials that the cluster holds now.
    """

    def __init__(self, bridge: Bridge, count_slots: Callable[[], int]) -> None:
        super().__init__()
        self._bridge = bridge
        self._count_slots = count_slots
        self._num_kept = 0

    def __getstate__(self) -> dict[str, Any]:
        # Ray pickles its scheduler for `Tuner.restore`. The source behind this one holds open files
        # and locks, which cannot be pickled; and a run is resumed from its record.
        return {}

    def save(self, checkpoint_path: str) -> None:
        """Write nothing: the record is saved already."""

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        forget_ended(tune_controller)
        slots = self._count_slots()
        allow_pending(tune_controller, slots)
        keep_processes(tune_controller, trial, slots - self._num_kept)
        self._num_kept = slots

    def choose_trial_to_run(self, tune_controller: Any) -> Any:
        """Give a process that has become free to a trial for which none is starting yet.

        Ray gives it to the oldest, and ends the process that starts for that one: where trials are
        shorter than a start, there never is a second process.
        """
        return find_unstarted(tune_controller) or super().choose_trial_to_run(tune_controller)

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        goes_on = self._bridge.on_report(trial.config, result)
        return str(self.CONTINUE if goes_on else self.STOP)

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        text = Path(trial.error_file).read_text() if trial.error_file else ""
        self._bridge.on_attempt_failed(trial.config, explain(text))
