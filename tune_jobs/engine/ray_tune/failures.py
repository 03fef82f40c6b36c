"""Explain why a trial's process ended, by the text that Ray keeps of it: Ray gives no class."""

from tune_jobs.engine.ray_tune.bridge import Failure

LOW_ON_MEMORY = "running low on memory"

DEATHS = ("The actor is dead", "The actor died", "ActorDiedError")
"""Ray's words for a process that died."""

NODE_DEATHS = ("its node has died", "died by preemption", "is temporarily unavailable")
"""Ray's words for a node that is gone. While the node is up, Ray says that the process died."""


def explain(errors: str) -> Failure:
    """Explain the last of a trial's errors in one line, with what to do where that is known."""
    error = errors.rpartition("Failure # ")[2]
    if LOW_ON_MEMORY in error:
        return Failure(
            "out of host memory, ended by Ray's memory monitor: run fewer trials at once "
            "(--max-parallel), or smaller ones"
        )
    if any(words in error for words in NODE_DEATHS):
        return Failure("its node was lost", is_node_lost=True)
    if any(words in error for words in DEATHS):
        return Failure("its process died: killed, or out of memory")
    lines = [line for line in error.splitlines() if line.strip()]
    return Failure(lines[-1] if lines else "unknown")
