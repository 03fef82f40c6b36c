"""Run a source of tasks on Ray Tune until it has no more to give."""

import tempfile
from collections.abc import Callable
from functools import partial
from typing import Any

from ray import tune
from ray.tune.progress_reporter import TrialProgressCallback

from tune_jobs.engine.cluster.capacity import count_slots
from tune_jobs.engine.ray_tune.bridge import Bridge
from tune_jobs.engine.ray_tune.controller import quick_start
from tune_jobs.engine.ray_tune.scheduler import BridgeScheduler
from tune_jobs.engine.ray_tune.searcher import BridgeSearcher
from tune_jobs.engine.run_state.resources import Resources
from tune_jobs.engine.stages.source import TrialSource


def run_tasks(
    source: TrialSource,
    trainable: Callable[[dict[str, Any]], None],
    resources: Resources,
    *,
    max_failures: int,
) -> None:
    """Run `source`'s tasks. Worker processes are reused; Ray writes to a temporary folder only.

    Args:
        trainable: Does a task in a worker, and reports as `pack_report` says.
        max_failures: A task whose process has ended in an error is started again this often; a
            node that is lost does not count (before `MOST_NODES_LOST` of them).

    Raises:
        Exception: Whatever the source has raised.
    """
    bridge = Bridge(source, max_failures=max_failures)
    with tempfile.TemporaryDirectory(prefix="tune-") as scratch:
        tuner = tune.Tuner(
            tune.with_resources(trainable, tune.PlacementGroupFactory(resources.bundles())),
            tune_config=tune.TuneConfig(
                search_alg=BridgeSearcher(bridge, max_parallel=resources.max_parallel),
                scheduler=BridgeScheduler(bridge, partial(count_slots, resources)),
                num_samples=-1,  # no limit: the searcher says when there is no more
                reuse_actors=True,
                trial_dirname_creator=_trial_name,
                trial_name_creator=_trial_name,
            ),
            run_config=tune.RunConfig(
                callbacks=[StartCallback(bridge)],
                storage_path=scratch,
                name="trials",
                verbose=0,
            ),
        )
        try:
            with quick_start():
                tuner.fit()
        except Exception:
            if bridge.error:
                raise bridge.error from None
            raise


class StartCallback(TrialProgressCallback):  # type: ignore[misc]
    """Tells the bridge which trials begin. It stands in for the callback that Ray adds where there
    is none of this class, which prints, and keeps every trial."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Ray pickles its callbacks: see `BridgeScheduler`

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self._bridge.on_start(trial.config)

    def on_trial_result(self, *_: Any, **__: Any) -> None: ...
    def on_trial_error(self, *_: Any, **__: Any) -> None: ...
    def on_trial_complete(self, *_: Any, **__: Any) -> None: ...


def _trial_name(trial: Any) -> str:
    return str(trial.config["name"])
