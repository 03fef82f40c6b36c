"""Be Ray Tune's `Searcher`: hand out the tasks that the bridge has."""

from typing import Any

from ray.tune.search import Searcher

from tune_jobs.engine.ray_tune.bridge import Bridge


class BridgeSearcher(Searcher):  # type: ignore[misc]
    """Gives Ray Tune its trials, and tells the bridge which of them have failed.

    Args:
        max_parallel: The most trials at once; `None`: as many as the cluster holds.
    """

    def __init__(self, bridge: Bridge, *, max_parallel: int | None) -> None:
        super().__init__()
        self._bridge = bridge
        self._max_parallel = max_parallel
        self._running: dict[str, dict[str, Any]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Ray pickles its searcher: see `BridgeScheduler`

    def save(self, checkpoint_path: str) -> None:
        """Write nothing: the record is saved already."""

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        if self._max_parallel is not None and len(self._running) >= self._max_parallel:
            return None
        config = self._bridge.next_config()
        if config is None:
            return str(Searcher.FINISHED) if self._bridge.finished else None
        self._running[trial_id] = config
        return config

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        config = self._running.pop(trial_id)
        if error:
            self._bridge.on_failed(config)
