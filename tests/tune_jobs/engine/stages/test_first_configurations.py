"""What a search tries first, each once."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest

from tests.tune_jobs.engine.stages.searches import (
    open_search,
    run_to_the_end,
)
from tune_jobs.engine.job import Published
from tune_jobs.engine.search.early_stopping import Never
from tune_jobs.engine.stages.first import FirstConfiguration, dearest_network
from tune_jobs.engine.stages.search import Search


def worded_space(trial: optuna.Trial) -> dict[str, Any]:
    """What a word stands for is in the environment."""
    size = trial.suggest_categorical("size", ("small", "large"))
    return {"width": int(os.environ.get("LARGE", "64")) if size == "large" else 8}


def open_fork(journal: Path, *, trials: int = 0) -> Search:
    """It begins with two configurations of another run, which this space does not tell apart."""
    forked = [
        FirstConfiguration(config={"size": "large", "width": width, "depth": 2}, origin="search")
        for width in (64, 32)
    ]
    search = open_search(journal, trials=trials, first=0, space=worded_space)
    return Search(replace(search.plan, first=forked), search.record, Never())


def test_a_configuration_of_another_run_is_tried_once(journal: Path) -> None:
    search = open_fork(journal, trials=1)
    assert len(search.record.trials()) == 1
    assert len(open_fork(journal, trials=1).record.trials()) == 1, "it waits"
    run_to_the_end(search, search.next_task())
    assert len(open_fork(journal, trials=1).record.trials()) == 1, "it has ended"


def test_configurations_of_another_run_that_differ_are_all_tried(journal: Path) -> None:
    sizes = [{"size": size, "width": 8, "depth": 2} for size in ("small", "large")]
    forked = [FirstConfiguration(config=config, origin="search") for config in sizes]
    search = open_search(journal, trials=0, first=0, space=worded_space)
    search = Search(replace(search.plan, first=forked), search.record, Never())
    assert [trial.params for trial in search.record.trials()] == [
        {"size": "small"},
        {"size": "large"},
    ]


def test_a_report_does_not_count_for_a_configuration_of_another_run(journal: Path) -> None:
    """Its trial is compared with reports alone."""
    search = open_search(journal, trials=0, first=0)
    config = {"lr": 0.02, "width": 8, "depth": 2}
    published = Published(name="1", config=config)
    first = [
        FirstConfiguration(config=config, origin="published", published=published),
        FirstConfiguration(config=config, origin="search"),
    ]
    search = Search(replace(search.plan, first=first), search.record, Never())
    assert [trial.origin for trial in search.record.trials()] == ["published", "search"]


def test_the_default_is_not_tried_again_for_another_run(journal: Path) -> None:
    search = open_search(journal)
    forked = replace(search.plan.first[0], origin="search", source="fork")
    plan = replace(search.plan, first=[*search.plan.first, forked])
    assert len(Search(plan, search.record, Never()).record.trials()) == 1, "it waits"
    run_to_the_end(search, search.next_task())
    assert len(Search(plan, search.record, Never()).record.trials()) == 1, "it has ended"


def test_a_report_that_is_added_is_tried_though_all_others_were(journal: Path) -> None:
    """A report's configuration is known by its name."""
    search = open_search(journal, trials=0, first=0)
    added = []
    for name, lr in (("1", 0.02), ("2", 0.03)):
        published = Published(name=name, config={"lr": lr})
        config = {"lr": lr, "width": 8, "depth": 2}
        first = FirstConfiguration(config=config, origin="published", published=published)
        added.append(first)
        search = Search(replace(search.plan, first=added), search.record, Never())
        trial = search.next_task()
        assert trial is not None
        assert trial.config["lr"] == lr
        run_to_the_end(search, trial)
        assert search.finished


def test_what_a_space_returns_now_tells_configurations_apart(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = open_fork(journal, trials=1)
    run_to_the_end(search, search.next_task())
    monkeypatch.setenv("LARGE", "128")
    resumed = open_fork(journal, trials=1)  # nothing else is left to propose
    again = resumed.next_task()
    assert again is not None
    assert again.config["width"] == 128
    was, now = resumed.record.trials()
    assert was.params == now.params
    assert was.config
    assert was.config["width"] == 64


def test_an_estimator_does_not_say_how_networks_train() -> None:
    for names in (("linear", "cnn", "svm"), ("svm", "cnn"), ("cnn",)):
        assert dearest_network([{"architecture": name} for name in names])["architecture"] == "cnn"
    estimators = [{"architecture": "knn"}, {"architecture": "svm"}]
    assert dearest_network(estimators) == estimators[-1]


def test_a_default_is_tried_once_though_it_is_another_one_by_now(journal: Path) -> None:
    search = open_search(journal)
    run_to_the_end(search, search.next_task())
    [default] = search.plan.first
    changed = replace(default, config={**default.config, "lr": 0.05})
    resumed = Search(replace(search.plan, first=[changed]), search.record, Never())
    assert len(resumed.record.trials()) == 1


def test_a_configuration_of_another_run_does_not_stand_for_the_default(journal: Path) -> None:
    search = open_search(journal)
    [default] = search.plan.first
    forked = replace(default, config={**default.config, "lr": 0.05}, origin="search")
    begun = open_search(journal.with_name("other.journal"), first=0)
    for first in ([forked], [forked, default]):
        begun = Search(replace(begun.plan, first=first), begun.record, Never())
    assert [trial.origin for trial in begun.record.trials()] == ["search", "default"]
