"""The job of any images: several architectures in one search, each with names of its own."""

import json
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial
from rich.console import Console

from tune_jobs import engine
from tune_jobs.auto import JOB
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.reproduce import find_row, reproduce
from tune_jobs.engine.results.analysis.architectures import NOT_BEGUN
from tune_jobs.engine.results.run_result import RunResult

pytestmark = pytest.mark.usefixtures("on_one_ray")

THREE = ("linear", "svm", "mlp")


def run(storage: Path, **options: Any) -> RunResult:
    given = {
        "train_size": 200,
        "epochs": 2,
        "retrain_top": 1,
        "retrain_seeds": 1,
        "precision": "fp32",
        "max_parallel": 1,
        "run_id": "one",
        "data_dir": storage,
        "architectures": "mlp, linear,svm",
    }
    return engine.run(JOB, console=Console(quiet=True), storage=storage, **{**given, **options})


def trials_of(storage: Path, run_id: str = "one") -> list[FrozenTrial]:
    journal = JournalFileBackend(str(storage / "runs" / "auto" / run_id / "study.journal"))
    study = optuna.load_study(study_name=f"auto/{run_id}", storage=JournalStorage(journal))
    return study.trials


@pytest.fixture(scope="module")
def storage(on_one_ray: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    storage = tmp_path_factory.mktemp("auto")
    run(storage, trials=6, scheduler="none", retrain_top=6)
    return storage


def test_each_architecture_begins_at_its_recipe_and_keeps_its_names(storage: Path) -> None:
    trials = trials_of(storage)
    assert [trial.params["architecture"] for trial in trials[:3]] == list(THREE)
    assert [trial.user_attrs.get("origin") for trial in trials[:3]] == ["default"] * 3
    assert (trials[0].params["linear.lr"], trials[2].params["mlp.lr"]) == (2e-3, 4e-3)
    for trial in trials:
        architecture = trial.params["architecture"]
        own = trial.params.keys() - {"architecture"}
        assert {name.rpartition(".")[0] for name in own} == {architecture}
        config = trial.user_attrs["config"]
        assert config["architecture"] == architecture
        assert all(trial.params.get(f"{architecture}.{n}", v) == v for n, v in config.items())
        assert config["features"] == ("hog" if architecture == "svm" else None)
        assert not any("." in name for name in config)
    sources = {trial.user_attrs.get("source") for trial in trials[3:]}
    assert sources <= {"centre", "incumbent", "model", "uniform"}


def test_the_leaderboard_has_each_architecture(storage: Path) -> None:
    info = json.loads((storage / "runs" / "auto" / "one" / "run.json").read_text())
    spaces = ("linear.space", "classical.hog_svm_space", "mlp.space")
    named = zip(THREE, spaces, strict=True)
    assert info["space"] == ", ".join(f"{name}: searchspaces.{space}" for name, space in named)
    assert info["options"]["architectures"] == "mlp, linear,svm"
    rows = [find_row(f"one:{number}", storage) for number in range(3)]
    assert [row.architecture for row in rows] == list(THREE)
    assert {row.origin for row in rows} == {"default"}


def test_features_are_those_of_a_trial_and_their_time_is_told(storage: Path) -> None:
    on_images, on_hog = find_row("one:0", storage), find_row("one:1", storage)
    assert (on_images.features, on_images.features_seconds) == (None, None)
    assert json.loads(on_hog.features or "")["kind"] == "hog"
    assert (on_hog.features_seconds or 0) > 0
    assert reproduce(on_hog, storage).agrees


def test_it_is_resumed_and_other_architectures_are_another_run(storage: Path) -> None:
    before = trials_of(storage)
    with pytest.raises(RequestError, match=r"suggests\.architecture: was .*'mlp'\)"):
        run(storage, resume="one", run_id=None, architectures="linear")
    run(storage, resume="one", run_id=None, trials=8)
    after = trials_of(storage)
    assert len(after) == 8
    assert [trial.params for trial in after[:6]] == [trial.params for trial in before[:6]]
    assert sum(trial.user_attrs.get("origin") == "default" for trial in after) == 3


def test_another_run_begins_with_what_it_found(storage: Path, tmp_path: Path) -> None:
    run(storage, run_id="forked", fork="one", retrain_top=3, trials=2, architectures="mlp")
    trials = trials_of(storage, "forked")
    assert {trial.params["architecture"] for trial in trials} == {"mlp"}
    brought = [trial for trial in trials if trial.user_attrs.get("source") == "fork"]
    found = [trial.params for trial in trials_of(storage)]
    assert all(trial.params in found for trial in brought)
    run(tmp_path, run_id="warm", warm_start=str(storage), trials=4)
    assert "portfolio" in {t.user_attrs.get("source") for t in trials_of(tmp_path, "warm")}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("linaer", r"'linaer' is no architecture of this job: .* \(did you mean 'linear'\?\)"),
        ("linear,", "'' is no architecture of this job: name some of linear, svm, "),
    ],
)
def test_what_the_job_does_not_have_is_refused(asked: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=said):
        run(tmp_path, architectures=asked)
    assert list(tmp_path.iterdir()) == []


def test_in_no_time_the_cheapest_is_trained_once_and_the_others_are_told(tmp_path: Path) -> None:
    result = run(tmp_path, time_budget=1, retrain_seeds=3)
    [row] = result.rows
    assert (row.architecture, row.seeds, row.winner) == ("linear", (1,), True)
    assert "trial 0 was trained with one seed all the same" in (result.time_budget or "")
    info = json.loads((tmp_path / "runs" / "auto" / "one" / "run.json").read_text())
    assert info["not_tried"] == dict.fromkeys(("svm", "mlp"), NOT_BEGUN)
    assert info["costs"].keys() == {"linear", "svm", "mlp"}
    assert not (tmp_path / "features").exists(), "no trial has needed any"
    assert f"mlp not tried: {NOT_BEGUN}" in result.learned["architecture"]
    page = (tmp_path / "runs" / "auto" / "one" / "report" / "index.html").read_text()
    assert "Note: the time budget is over: there was no time for one training" in page
    more = run(tmp_path, resume="one", run_id=None, trials=4, scheduler="none", retrain_seeds=3)
    rows = [row for row in more.rows if not row.ensemble]
    assert {row.architecture for row in rows} == set(THREE)
    assert (more.time_budget, rows[0].num_seeds) == (None, 3)
