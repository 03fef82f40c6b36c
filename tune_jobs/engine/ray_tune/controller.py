"""Use private parts of Ray Tune's loop: all that this project needs of them, each for a reason.

`tests/tune_jobs/engine/ray_tune/test_contract.py` names every one of them, so that another version
of Ray fails there, with a sentence, and not in a search.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ray.air._internal import usage
from ray.tune.execution import class_cache


@contextmanager
def quick_start() -> Iterator[None]:
    """Have Ray Tune give its first task sooner.

    Ray would ask for processes with an environment variable of PyTorch Lightning's: none of those
    that a local Ray has started already has it, so that each would be started, and import torch,
    once more. And it would import every tracker that is installed, to count those in use.
    """
    environment, tag = dict(class_cache.DEFAULT_ENV_VARS), usage.tag_callbacks
    class_cache.DEFAULT_ENV_VARS.clear()
    usage.tag_callbacks = _tag_nothing
    try:
        yield
    finally:
        class_cache.DEFAULT_ENV_VARS.update(environment)
        usage.tag_callbacks = tag


def _tag_nothing(_callbacks: Any) -> bool:
    return False


def loop_of(tune_controller: Any) -> Any:
    """Return Ray's `TuneController` itself, from behind the guard that Ray puts before it.

    A scheduler is given a `TrialRunnerWrapper`, which shows a few methods of the `TuneController`
    and refuses the rest, so that schedulers do not change what they should not. What is needed here
    has no public call (see the functions below), and the bound method that the wrapper does show
    knows the controller that it belongs to.
    """
    return tune_controller.get_trials.__self__


def allow_pending(tune_controller: Any, count: int) -> None:
    """Let `count` trials wait for room: a cluster that grows then has work for its new nodes, and
    one that scales with the work sees how much there is. (Ray itself asks once, as it begins.)"""
    loop_of(tune_controller).update_max_pending_trials(count)


def keep_processes(tune_controller: Any, trial: Any, more: int) -> None:
    """Keep so many more processes that have no trial: those of a stage or a round may begin only
    when those before have ended, and a process takes seconds to start. (Ray itself keeps one.)"""
    loop_of(tune_controller)._actor_cache.increase_max(trial.placement_group_factory, more)


def find_unstarted(tune_controller: Any) -> Any | None:
    """Find the oldest trial that waits and for which no process is starting; `None`: there is none.

    Ray's public calls tell which trials wait, but not for which of them it starts a process.
    """
    loop = loop_of(tune_controller)
    starting = set(loop._actor_manager.live_actors)
    waiting = (trial for trial in loop.get_trials() if trial.status == trial.PENDING)
    return next((t for t in waiting if loop._trial_to_actor.get(t) not in starting), None)


def forget_ended(tune_controller: Any) -> None:
    """Drop the trials that ended, which the record has: Ray's loop keeps every one, about 50 KB
    each, and goes through all of them now and then."""
    loop = loop_of(tune_controller)
    ended = loop._stopped_trials | loop._failed_trials
    loop._trials[:] = [trial for trial in loop._trials if trial not in ended]
    loop._live_trials -= ended
    for kept in (loop._stopped_trials, loop._failed_trials, loop._trials_to_cache):
        kept.clear()
