"""Which failures of a trial count, and when it is given up."""

import pytest

from trainables.config import Runtime
from trainables.trials.report import Report
from trainables.trials.task import Stage, Task, TrialTask
from tune_jobs.engine.ray_tune.bridge import MOST_NODES_LOST, Bridge, Failure
from tune_jobs.engine.ray_tune.searcher import BridgeSearcher

KILLED = Failure("its process died: killed, or out of memory")
NODE_LOST = Failure("its node was lost", is_node_lost=True)


class Source:
    """Two tasks."""

    def __init__(self) -> None:
        self.left = [make_task("a"), make_task("b")]
        self.failed: list[tuple[str, str]] = []

    @property
    def finished(self) -> bool:
        return not self.left

    def next_task(self) -> Task | None:
        return self.left.pop(0) if self.left else None

    def on_start(self, task: Task) -> None:
        raise NotImplementedError

    def on_report(self, task: Task, report: Report) -> bool:
        raise NotImplementedError

    def on_failure(self, task: Task, cause: str) -> None:
        self.failed.append((task.name, cause))


def make_task(name: str) -> Task:
    return TrialTask(
        stage=Stage.SEARCH, number=0, name=name, seed=0, config={}, runtime=Runtime(device="cpu")
    )


def attempts(failures: list[Failure], *, max_failures: int) -> tuple[list[str], Source]:
    """Each attempt fails for the next reason -> the names of the tasks as they are handed out."""
    source = Source()
    bridge = Bridge(source, max_failures=max_failures)
    searcher = BridgeSearcher(bridge, max_parallel=None)
    names = []
    for number, failure in enumerate(failures):
        config = searcher.suggest(f"ray-{number}")
        assert isinstance(config, dict)
        names.append(config["name"])
        bridge.on_attempt_failed(config, failure)
        searcher.on_trial_complete(f"ray-{number}", error=True)
    return names, source


@pytest.mark.parametrize("max_failures", [0, 1, 3])
def test_a_trial_that_fails_too_often_is_given_up(max_failures: int) -> None:
    names, source = attempts([KILLED] * (max_failures + 2), max_failures=max_failures)
    assert names == ["a"] * (max_failures + 1) + ["b"]
    assert source.failed[0] == ("a", KILLED.cause)
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
    searcher = BridgeSearcher(Bridge(source, max_failures=3), max_parallel=1)
    first = searcher.suggest("ray-0")
    assert isinstance(first, dict)
    assert searcher.suggest("ray-1") is None
    searcher.on_trial_complete("ray-0", {})
    second = searcher.suggest("ray-1")
    assert isinstance(second, dict)
    assert (first["name"], second["name"]) == ("a", "b")
    assert source.failed == []
