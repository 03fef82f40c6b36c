"""Compare what trials take with what the cluster has."""

import ray

from tune_jobs.engine.run_state.resources import Resources


def count_slots(resources: Resources) -> int:
    """Count the trials that the cluster holds now: at least one, so that an empty cluster grows."""
    have = ray.cluster_resources()
    room = [have.get(kind, 0.0) / need for kind, need in resources.per_trial.items() if need > 0]
    slots = max(1, int(min(room, default=1)))
    return slots if resources.max_parallel is None else min(slots, resources.max_parallel)


def find_lacking(resources: Resources) -> str | None:
    """Say what a trial takes that the cluster does not have now; return `None` if it has all."""
    have = ray.cluster_resources()
    for kind, needed in resources.per_trial.items():
        if needed > have.get(kind, 0.0):
            return f"a trial takes {needed:g} {kind}s, and there are {have.get(kind, 0.0):g}"
    return None
