"""Runs a source of trials on Ray Tune until it has no more to give."""

import tempfile
from collections.abc import Callable
from functools import partial
from typing import Any

from ray import tune
from ray.tune.progress_reporter import TrialProgressCallback

from tune_jobs.engine.cluster.capacity import count_slots
from tune_jobs.engine.ray_tune.kept_errors import KeptErrors
from tune_jobs.engine.ray_tune.scheduler import SourceScheduler
from tune_jobs.engine.ray_tune.searcher import SourceSearcher
from tune_jobs.engine.run.resources import Resources
from tune_jobs.engine.stages.source import TrialSource


def run_trials(
    source: TrialSource,
    trainable: Callable[[dict[str, Any]], None],
    resources: Resources,
    *,
    max_failures: int,
) -> None:
    """Run `source`'s trials. Worker processes are reused; Ray writes to a temporary folder only.

    Args:
        max_failures: How often a trial whose process has ended in an error is started again; a
            node that is lost does not count (before `MOST_NODES_LOST` of them).
    """
    causes: dict[str, str] = {}
    kept = KeptErrors(source)
    with tempfile.TemporaryDirectory(prefix="tune-") as scratch:
        tuner = tune.Tuner(
            tune.with_resources(trainable, tune.PlacementGroupFactory(resources.bundles())),
            tune_config=tune.TuneConfig(
                search_alg=SourceSearcher(
                    kept, causes, max_parallel=resources.max_parallel, max_failures=max_failures
                ),
                scheduler=SourceScheduler(kept, causes, partial(count_slots, resources)),
                num_samples=-1,
                reuse_actors=True,
                trial_dirname_creator=_trial_name,
                trial_name_creator=_trial_name,
            ),
            run_config=tune.RunConfig(
                callbacks=[Callback(kept)],
                storage_path=scratch,
                name="trials",
                verbose=0,
            ),
        )
        try:
            tuner.fit()
        except Exception:
            if kept.error:
                raise kept.error from None
            raise


class Callback(TrialProgressCallback):  # type: ignore[misc]
    """Tells the source which trials begin; stands in for the one that Ray adds, which prints, and
    keeps every trial."""

    def __init__(self, source: TrialSource) -> None:
        super().__init__()
        self._source = source

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Ray pickles its callbacks; this one's state is the record

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self._source.on_start(trial.config)

    def on_trial_result(self, *_: Any, **__: Any) -> None: ...
    def on_trial_error(self, *_: Any, **__: Any) -> None: ...
    def on_trial_complete(self, *_: Any, **__: Any) -> None: ...


def _trial_name(trial: Any) -> str:
    return str(trial.config["name"])
