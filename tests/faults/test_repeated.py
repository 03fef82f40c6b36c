"""The same seed again, in one slot and in several: what depends on what."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.faults.leaderboards import differing, results
from tests.faults.runs import Runs

SEARCH = (
    *("--trials", "6", "--epochs", "4", "--sampler", "random", "--scheduler", "none"),
    *("--cpus-per-trial", "0.3", "--retrain-top", "2"),
)


def figures(runs: Runs) -> list[Mapping[str, Any]]:
    """Each trial's configuration and figures; not when they came, nor how long they took."""
    attributes: list[Mapping[str, Any]] = [
        {
            name: {k: v for k, v in value.items() if k not in ("seconds", "sequence")}
            for name, value in trial.user_attrs.items()
            if name == "config" or name.startswith("epoch_")
        }
        for trial in runs.trials()
    ]
    return attributes


def order(runs: Runs) -> list[tuple[int, int]]:
    """(trial, epoch) as they arrived."""
    reports = runs.reports().get("faulty/run", {})
    return [
        (number, epoch)
        for _, number, epoch in sorted(
            (f["sequence"], number, f["epoch"]) for number, fs in reports.items() for f in fs
        )
    ]


def test_in_several_slots_a_configuration_gives_what_it_gives_in_one(
    make_runs: Callable[..., Runs], address: str, tmp_path: Path
) -> None:
    """Whatever the order of arrival; and in one slot again, all is the same, to the bit."""
    go, faults = tmp_path / "go", {"1": {"folder": str(tmp_path), "fault": "wait", "at_epoch": 2}}
    one, again, three = (make_runs(address, faults, name) for name in ("one", "again", "three"))
    go.touch()
    for runs in (one, again):
        runs.run(*SEARCH)
    go.unlink()
    driver = three.start(*SEARCH, "--max-parallel", "3")
    driver.until(lambda: (2, 4) in order(three))  # while trial 1 waits
    go.touch()
    assert driver.wait() == 0, driver.said
    assert order(one) == order(again) == sorted(order(one))
    assert order(three) != order(one)
    assert figures(one) == figures(again) == figures(three)
    assert differing(results(one), results(again)) == []
    assert differing(results(one), results(three)) == []
