"""Ray Tune's `Searcher` over a source of trials."""

from typing import Any

from ray.tune.search import Searcher

from tune_jobs.engine.search.source import TrialSource


class SourceSearcher(Searcher):  # type: ignore[misc]
    """Hands out the source's trials, and tells it which of them failed for good.

    Args:
        source: Where trials come from.
        causes: Trial name -> the error that the scheduler saw last.
        max_parallel: At most so many trials at once; `None`: as many as the cluster holds.
    """

    def __init__(
        self, source: TrialSource, causes: dict[str, str], max_parallel: int | None
    ) -> None:
        super().__init__()
        self._source = source
        self._causes = causes
        self._max_parallel = max_parallel
        self._running: dict[str, dict[str, Any]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Ray pickles its searcher; this one's state is the record

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the record is saved already."""

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        if self._max_parallel is not None and len(self._running) >= self._max_parallel:
            return None
        trial = self._source.next_trial()
        if trial is None:
            return str(Searcher.FINISHED) if self._source.finished else None
        self._running[trial_id] = trial
        return trial

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """`result` is what the trial reported last; one that the scheduler gives up has none."""
        trial = self._running.pop(trial_id)
        cause = self._causes.pop(trial["name"], "")
        if error or result is None:
            self._source.on_failure(trial, cause)
