"""Ray Tune's `Searcher` over a source of trials."""

from collections import Counter
from typing import Any

from ray.tune.search import Searcher

from tune_jobs.engine.ray_tune.scheduler import NODE_LOST
from tune_jobs.engine.stages.source import TrialSource

MOST_NODES_LOST = 20
"""By one trial, which may well be what brings them down: out of a node's memory, say."""


class SourceSearcher(Searcher):  # type: ignore[misc]
    """Hands out the source's trials, those that failed again, and tells it which did for good.

    Ray could start them again by itself. But it counts a lost node as a failure of its trials, and
    as two where the trial was about to begin in a process that an earlier one had left.

    Args:
        source: Where trials come from.
        causes: Trial name -> the error that the scheduler saw last.
        max_parallel: At most so many trials at once; `None`: as many as the cluster holds.
        max_failures: A trial that has failed more often, or lost `MOST_NODES_LOST` nodes, is not
            started again.
    """

    def __init__(
        self,
        source: TrialSource,
        causes: dict[str, str],
        *,
        max_parallel: int | None,
        max_failures: int,
    ) -> None:
        super().__init__()
        self._source = source
        self._causes = causes
        self._max_parallel = max_parallel
        self._max_failures = max_failures
        self._failures: Counter[str] = Counter()  # by trial name
        self._nodes_lost: Counter[str] = Counter()
        self._again: list[dict[str, Any]] = []
        self._running: dict[str, dict[str, Any]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Ray pickles its searcher; this one's state is the record

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the record is saved already."""

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        if self._max_parallel is not None and len(self._running) >= self._max_parallel:
            return None
        trial = self._again.pop(0) if self._again else self._source.next_trial()
        if trial is None:
            return str(Searcher.FINISHED) if self._source.finished else None
        self._running[trial_id] = trial
        return trial

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        trial = self._running.pop(trial_id)
        name = trial["name"]
        cause = self._causes.pop(name, "")
        if not error:
            return
        self._failures[name] += cause != NODE_LOST
        self._nodes_lost[name] += cause == NODE_LOST
        if self._nodes_lost[name] >= MOST_NODES_LOST:
            self._source.on_failure(trial, f"{cause}, for the {MOST_NODES_LOST}th time")
        elif self._failures[name] > self._max_failures:
            self._source.on_failure(trial, cause)
        else:
            self._again.append(trial)
