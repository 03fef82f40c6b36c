"""MLflow, in a database below the storage, has what the record has, once."""

from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking import MlflowClient
from optuna.trial import TrialState

from tests.tune_jobs.engine.results.trackers.conftest import (
    Follow,
    end_and_fail,
    open_pair,
    train_next,
    train_pair,
    wait_until,
)
from tests.tune_jobs.engine.stages.searches import EPOCHS, open_search, run_to_the_end

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader")  # MLflow, of SQLAlchemy


def read(folder: Path, job: str = "digits_cnn") -> dict[str, Any]:
    """The runs by their names; each name must be there once."""
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name(job)
    runs = client.search_runs([experiment.experiment_id]) if experiment else []
    found = {run.info.run_name: run for run in runs}
    assert len(found) == len(runs)
    return found


def history(folder: Path, run: Any, tag: str) -> list[tuple[int, float]]:
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    return [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, tag)]


def test_each_trial_is_a_run_below_that_of_the_whole(trackers_of: Follow, tmp_path: Path) -> None:
    search = open_search(tmp_path / "journal", trials=2)
    page = tmp_path / "page.html"
    page.write_text("what was found")
    with trackers_of("mlflow") as trackers:
        trackers.follow(lambda: [search.record])
        end_and_fail(search)
        trackers.keep([str(page), None])
    found = read(tmp_path)
    assert set(found) == {"one", "trial-0", "trial-1"}
    whole, ended, broken = (found[name] for name in sorted(found))
    assert ended.data.params["lr"] == "0.01"
    assert ended.data.params["architecture"] == "net"
    epochs = range(1, EPOCHS + 1)
    assert history(tmp_path, ended, "accuracy/val") == [(epoch, 0.25) for epoch in epochs]
    assert history(tmp_path, ended, "loss/train") == [(epoch, 1.0) for epoch in epochs]
    assert (ended.info.status, ended.data.tags["state"]) == ("FINISHED", "COMPLETE")
    assert (broken.info.status, broken.data.tags["state"]) == ("FAILED", "FAIL")
    assert broken.data.tags["end_reason"] == "it broke"
    assert whole.info.status == "FINISHED"
    assert {r.data.tags["mlflow.parentRunId"] for r in (ended, broken)} == {whole.info.run_id}
    [kept] = tmp_path.glob(f"mlartifacts/{whole.info.run_id}/artifacts/*")
    assert (kept.name, kept.read_text()) == ("page.html", "what was found")


def test_an_epoch_is_there_while_the_trial_runs(trackers_of: Follow, tmp_path: Path) -> None:
    search = open_search(tmp_path / "journal", trials=2)
    with trackers_of("mlflow") as trackers:  # two who make the database at once disturb each other
        trackers.follow(lambda: [search.record])
        run_to_the_end(search, search.next_task())
    with trackers_of("mlflow") as trackers:
        trackers.follow(lambda: [search.record])
        train_next(search, 1)

        def is_there() -> bool:
            run = read(tmp_path).get("trial-1")
            return run is not None and "accuracy/val" in run.data.metrics

        wait_until(is_there)
        assert read(tmp_path)["trial-1"].info.status == "RUNNING"


def test_a_session_that_goes_on_doubles_nothing(trackers_of: Follow, tmp_path: Path) -> None:
    search = open_search(tmp_path / "journal", trials=2)
    with trackers_of("mlflow") as trackers:
        trackers.follow(lambda: [search.record])
        run_to_the_end(search, search.next_task())
        train_next(search, 1, 2)
    assert read(tmp_path)["trial-1"].info.status == "RUNNING"

    search = open_search(tmp_path / "journal", trials=2)
    with trackers_of("mlflow") as trackers:
        trackers.follow(lambda: [search.record])
        train_next(search, 3, 4)
    found = read(tmp_path)
    assert set(found) == {"one", "trial-0", "trial-1"}
    expected = [(epoch, epoch / 4) for epoch in range(1, 5)]
    assert history(tmp_path, found["trial-1"], "accuracy/val") == expected
    assert found["trial-1"].data.tags["state"] == "COMPLETE"


def test_a_pair_that_failed_and_is_trained_again_ends_well(
    trackers_of: Follow, tmp_path: Path
) -> None:
    pair = open_pair()
    for values, end in (((0.25,), TrialState.FAIL), ((0.25, 0.5), TrialState.COMPLETE)):
        train_pair(pair, *values, end=end)
        with trackers_of("mlflow") as trackers:
            trackers.follow(lambda: [pair])
    run = read(tmp_path)["pair"]
    assert (run.info.status, run.data.tags["state"]) == ("FINISHED", "COMPLETE")
    assert history(tmp_path, run, "accuracy/val") == [(1, 0.25), (2, 0.5)]
