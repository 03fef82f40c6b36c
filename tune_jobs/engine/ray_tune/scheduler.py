"""Ray Tune's scheduler over a source of trials: record, then decide."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ray.tune.schedulers import FIFOScheduler

from tune_jobs.engine.stages.source import TrialSource


class SourceScheduler(FIFOScheduler):  # type: ignore[misc]
    """Passes each report to the source and answers as the source decides.

    Ray calls a scheduler first and, where it answers STOP, never calls the searcher: this is
    the one place where every report comes by.

    Args:
        source: Where trials come from.
        causes: Trial name -> why its last attempt failed; kept here.
        slots: How many trials the cluster holds now.
    """

    def __init__(
        self, source: TrialSource, causes: dict[str, str], slots: Callable[[], int]
    ) -> None:
        super().__init__()
        self._source = source
        self._causes = causes
        self._slots = slots

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Ray pickles its scheduler; this one's state is the record

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the record is saved already."""

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        forget_ended(tune_controller)
        allow_pending(tune_controller, self._slots())

    def choose_trial_to_run(self, tune_controller: Any) -> Any:
        """A process that has become free goes to a trial for which none is starting yet.

        Ray gives it to the oldest, and ends the process that starts for that one: where trials are
        shorter than a start, there never is a second process.
        """
        loop = _loop(tune_controller)
        starting = set(loop._actor_manager.live_actors)
        for trial in loop.get_trials():
            if trial.status == trial.PENDING and loop._trial_to_actor.get(trial) not in starting:
                return trial
        return super().choose_trial_to_run(tune_controller)

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        figures = {
            key.removeprefix("figures/"): value
            for key, value in result.items()
            if key.startswith("figures/")
        }
        goes_on = self._source.on_report(trial.config, figures)
        return str(self.CONTINUE if goes_on else self.STOP)

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        text = Path(trial.error_file).read_text() if trial.error_file else ""
        cause = explain(text)
        self._causes[trial.config["name"]] = cause
        self._source.on_attempt_failed(trial.config, cause)


def _loop(tune_controller: Any) -> Any:
    """Ray's own, behind what it shows a scheduler."""
    return tune_controller.get_trials.__self__


def allow_pending(tune_controller: Any, count: int) -> None:
    """So many trials may wait for room: a cluster that grows has work for its new nodes, and one
    that scales with the work sees how much there is. (Ray itself asks once, as it begins.)"""
    _loop(tune_controller).update_max_pending_trials(count)


def forget_ended(tune_controller: Any) -> None:
    """Ray's loop keeps every trial, about 50 KB each, and goes through all of them now and then;
    the record has those that ended. (Its own list and sets: there is no call for it.)"""
    loop = _loop(tune_controller)
    ended = loop._stopped_trials | loop._failed_trials
    loop._trials[:] = [trial for trial in loop._trials if trial not in ended]
    loop._live_trials -= ended
    for kept in (loop._stopped_trials, loop._failed_trials, loop._trials_to_cache):
        kept.clear()


def explain(errors: str) -> str:
    """One line for the last of a trial's errors, from the text that Ray keeps of them."""
    error = errors.rpartition("Failure # ")[2]
    if LOW_ON_MEMORY in error:
        return (
            "out of host memory, ended by Ray's memory monitor: run fewer trials at once "
            "(--max-parallel), or smaller ones"
        )
    if any(words in error for words in NODE_DEATHS):
        return NODE_LOST
    if any(words in error for words in DEATHS):
        return "its process died: killed, or out of memory"
    lines = [line for line in error.splitlines() if line.strip()]
    return lines[-1] if lines else "unknown"


NODE_LOST = "its node was lost"

LOW_ON_MEMORY = "running low on memory"

DEATHS = ("The actor is dead", "The actor died", "ActorDiedError")
"""Ray's words; the text does not have the error's class."""

NODE_DEATHS = ("its node has died", "died by preemption", "is temporarily unavailable")
"""A node that lives tells of a process that has died: one that is out of reach was lost with it."""
