"""Compare a resumed run with what it began as: it is the same run, or is refused."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from trainables.config.validation import to_json
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job import Published
from tune_jobs.engine.run_state.info import RunInfo
from tune_jobs.engine.run_state.provenance import MAIN

MUST_MATCH = (
    "dataset_fingerprint",
    "split_fingerprint",
    "architecture",
    "space",
    "suggests",
    "returns",
    "epochs",
    "metric",
    "class_weights",
    "keep",
    "features",
    "weights",
    "published",
)
"""A resumed run must share these fields with its earlier sessions, or its trials do not compare.
Of `published`, what was added since is tried too, and need not be shared."""


def continue_run(info: RunInfo, earlier: RunInfo | None) -> RunInfo:
    """Return `info` with what an earlier session of the run has found out.

    Raises:
        RequestError: The run began as another one; the message lists the differences.
    """
    if earlier is None:
        return info
    differences = [
        f"  {key}: was {was!r}, is {now!r}"
        for name in MUST_MATCH
        for key, was, now in _pairs(name, getattr(earlier, name), getattr(info, name))
        if _differs(key, was, now)
    ]
    if differences:
        raise RequestError(
            f"--run-id = {info.run_id!r}: that run began differently, and its trials would "
            "not compare with new ones:\n" + "\n".join(differences) + "\nTake another --run-id."
            " (--fork begins a new run with the best configurations of an earlier one)"
        )
    if earlier.git_commit != info.git_commit:
        info = info.noting(
            f"an earlier session ran commit {earlier.git_commit}, this one runs "
            f"{info.git_commit}: their results compare only if no change between them matters"
        )
    return replace(
        info,
        runtime=earlier.runtime,
        costs=earlier.costs,
        default_configs=earlier.default_configs,
    )


def _differs(key: str, was: Any, now: Any) -> bool:
    """A space in `__main__` is that of any module with its name: a script, or an early version."""
    if key == "space" and MAIN in (was.partition(".")[0], now.partition(".")[0]):
        return bool(was.rpartition(".")[2] != now.rpartition(".")[2])
    return bool(was != now)


def _pairs(name: str, was: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield (name, was, now) of all that is compared; a dict's values are compared one by one."""
    if name == "returns" and was is None:  # an early version did not record it
        return
    if name == "published":
        yield from _published_pairs(was, now)
        return
    was, now = to_json(was), to_json(now)
    if not (isinstance(was, dict) and isinstance(now, dict)):
        yield name, was, now
    elif was or name == "returns":  # an early version did not record what a space suggests
        for key in {**was, **now}:
            yield f"{name}.{key}", was.get(key), now.get(key)


def _published_pairs(
    was: Sequence[Published], now: Sequence[Published]
) -> Iterator[tuple[str, Any, Any]]:
    """Yield (name, was, now) of the reports' entries that the run began with."""
    kept = to_json(now)
    by_name = {published.name: published for published in now}
    for published in was:
        if to_json(published) not in kept:
            entry = by_name.get(published.name)
            yield f"published {published.name!r}", to_json(published), to_json(entry)
