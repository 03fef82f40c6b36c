"""Which failures of a trial count, and when it is given up."""

from collections.abc import Mapping
from typing import Any

import pytest

from tune_jobs.engine.ray_tune.scheduler import NODE_LOST
from tune_jobs.engine.ray_tune.searcher import MOST_NODES_LOST, SourceSearcher

KILLED = "its process died: killed, or out of memory"


class Source:
    """Two trials."""

    def __init__(self) -> None:
        self.left = [{"name": "a"}, {"name": "b"}]
        self.failed: list[tuple[str, str]] = []

    @property
    def finished(self) -> bool:
        return not self.left

    def next_trial(self) -> dict[str, Any] | None:
        return self.left.pop(0) if self.left else None

    def on_start(self, trial: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def on_report(self, trial: Mapping[str, Any], figures: Mapping[str, Any]) -> bool:
        raise NotImplementedError

    def on_attempt_failed(self, trial: Mapping[str, Any], cause: str) -> None:
        raise NotImplementedError

    def on_failure(self, trial: Mapping[str, Any], cause: str) -> None:
        self.failed.append((trial["name"], cause))


def attempts(causes_of_failure: list[str], *, max_failures: int) -> tuple[list[str], Source]:
    """Each attempt fails of the next cause -> the names of the trials as they are handed out."""
    source, causes = Source(), dict[str, str]()
    searcher = SourceSearcher(source, causes, max_parallel=None, max_failures=max_failures)
    names = []
    for number, cause in enumerate(causes_of_failure):
        trial = searcher.suggest(f"ray-{number}")
        assert isinstance(trial, dict)
        names.append(trial["name"])
        causes[trial["name"]] = cause
        searcher.on_trial_complete(f"ray-{number}", error=True)
    return names, source


@pytest.mark.parametrize("max_failures", [0, 1, 3])
def test_a_trial_that_fails_too_often_is_given_up(max_failures: int) -> None:
    names, source = attempts([KILLED] * (max_failures + 2), max_failures=max_failures)
    assert names == ["a"] * (max_failures + 1) + ["b"]
    assert source.failed[0] == ("a", KILLED)
    assert len(source.failed) == 1 + (max_failures == 0)


def test_a_lost_node_does_not_count() -> None:
    names, source = attempts([NODE_LOST] * 5 + [KILLED] + [NODE_LOST] * 5, max_failures=1)
    assert names == ["a"] * 11
    assert source.failed == []


def test_a_trial_that_brings_down_every_node_is_given_up() -> None:
    names, source = attempts([NODE_LOST] * (MOST_NODES_LOST + 1), max_failures=3)
    assert names == ["a"] * MOST_NODES_LOST + ["b"]
    assert source.failed == [("a", "its node was lost, for the 20th time")]


def test_a_trial_that_ends_well_is_not_started_again() -> None:
    source = Source()
    searcher = SourceSearcher(source, {}, max_parallel=1, max_failures=3)
    assert searcher.suggest("ray-0") == {"name": "a"}
    assert searcher.suggest("ray-1") is None
    searcher.on_trial_complete("ray-0", {"figures": {}})
    assert searcher.suggest("ray-1") == {"name": "b"}
    assert source.failed == []
