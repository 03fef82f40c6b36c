"""Ray Tune's scheduler over a source of trials: record, then decide."""

from pathlib import Path
from typing import Any

from ray.tune.schedulers import FIFOScheduler

from tune_jobs.engine.search.source import TrialSource


class SourceScheduler(FIFOScheduler):  # type: ignore[misc]
    """Passes each report to the source and answers as the source decides.

    Ray calls a scheduler first and, where it answers STOP, never calls the searcher: this is
    the one place where every report comes by.
    """

    def __init__(self, source: TrialSource, causes: dict[str, str]) -> None:
        super().__init__()
        self._source = source
        self._causes = causes

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Ray pickles its scheduler; this one's state is the record

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the record is saved already."""

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
        self._causes[trial.config["name"]] = explain(text)


def explain(error: str) -> str:
    """One line for a trial's error, from the text that Ray keeps of it."""
    if "ray.exceptions.OutOfMemoryError" in error:
        return (
            "out of host memory, ended by Ray's memory monitor: run fewer trials at once "
            "(--max-parallel), or smaller ones"
        )
    if "ActorDiedError" in error or "ActorUnavailableError" in error:
        return "its process died: killed, out of memory, or its node lost"
    lines = [line for line in error.splitlines() if line.strip()]
    return lines[-1] if lines else "unknown"
