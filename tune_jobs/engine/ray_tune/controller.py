"""Use private parts of Ray Tune's loop: all that this project needs of them, each for a reason.

`tests/tune_jobs/engine/ray_tune/test_contract.py` names every one of them, so that another version
of Ray fails there, with a sentence, and not in a search.
"""

from typing import Any


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
