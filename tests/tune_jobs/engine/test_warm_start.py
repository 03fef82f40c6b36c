"""A run that begins with the leaderboard of another one."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial

from trainables.features import Pixels
from tune_jobs import engine
from tune_jobs.engine import Job
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.results.run_result import RunResult

if TYPE_CHECKING:
    from optuna import Trial

pytestmark = pytest.mark.usefixtures("on_one_ray")


def wide_space(trial: "Trial") -> None:
    trial.suggest_int("k", 1, 60)
    trial.suggest_categorical("weights", ("uniform", "distance"))


def narrow_space(trial: "Trial") -> None:
    trial.suggest_int("k", 4, 30)


def job_of(name: str, space: Any) -> Job:
    return Job(
        name=name,
        dataset="digits",
        architecture="knn",
        space=space,
        trials=3,
        epochs=2,
        features=Pixels(),
    )


ELSEWHERE, HERE = job_of("elsewhere", wide_space), job_of("here", narrow_space)


def run(job: Job, storage: Path, **options: Any) -> RunResult:
    given = {"train_size": 300, "retrain_top": 2, "retrain_seeds": 1, "max_parallel": 1}
    return engine.run(job, storage=str(storage), **{"run_id": "one", **given, **options})


def trials_of(storage: Path, run_id: str = "one") -> list[FrozenTrial]:
    journal = JournalFileBackend(str(storage / "runs" / "here" / run_id / "study.journal"))
    name = f"here/{run_id}"
    return optuna.load_study(study_name=name, storage=JournalStorage(journal)).trials


def info_of(storage: Path) -> Any:
    return json.loads((storage / "runs" / "here" / "one" / "run.json").read_text())


@pytest.fixture(scope="module")
def elsewhere(on_one_ray: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    storage = tmp_path_factory.mktemp("elsewhere")
    chosen = {"trials": 4, "retrain_top": 4, "sampler": "random", "scheduler": "none"}
    run(ELSEWHERE, storage, split_seed=1, **chosen)
    return storage


def test_it_begins_with_the_rows_and_keeps_them_on_resume(elsewhere: Path, tmp_path: Path) -> None:
    boards = tmp_path / "boards"
    shutil.copytree(elsewhere / "leaderboards", boards)
    options = {"warm_start": str(boards), "scheduler": "none"}
    result = run(HERE, tmp_path, trials=4, **options)
    portfolio = info_of(tmp_path)["portfolio"]
    assert portfolio
    assert {entry["found_in"] for entry in portfolio} == {str(boards)}
    assert all(entry["row"].startswith("elsewhere/one:") for entry in portfolio)
    default, *proposed = trials_of(tmp_path)
    assert default.user_attrs["origin"] == "default"
    brought = [trial for trial in proposed if trial.user_attrs.get("source") == "portfolio"]
    assert brought == proposed[: len(portfolio)]
    wanted = [min(max(row["config"]["k"], 4), 30) for row in portfolio]
    assert [trial.params["k"] for trial in brought] == wanted
    assert {trial.user_attrs["origin"] for trial in brought} == {"search"}, "they must earn it"
    assert "of other leaderboards (best 0." in str(result.learned["proposals"])
    notes = "\n".join(info_of(tmp_path)["notes"])
    moved = {(row["config"]["k"], k) for row, k in zip(portfolio, wanted, strict=True)}
    for was, now in moved:
        told = f"k = {was}: the space holds in [4, 30], and would train {now}"
        assert (told in notes) == (was != now)
    assert any(was != now for was, now in moved)

    shutil.rmtree(boards)
    run(HERE, tmp_path, trials=5, resume="one", run_id=None, **options)
    run(HERE, tmp_path, trials=6, resume="one", run_id=None)
    assert info_of(tmp_path)["portfolio"] == portfolio
    resumed = trials_of(tmp_path)
    assert len(resumed) == 6
    assert [trial.params for trial in resumed][:4] == [t.params for t in (default, *proposed)]


def test_a_fork_goes_before_and_nothing_is_tried_twice(elsewhere: Path, tmp_path: Path) -> None:
    shutil.copytree(elsewhere, tmp_path, dirs_exist_ok=True)
    run(HERE, tmp_path, run_id="first", scheduler="none")
    run(HERE, tmp_path, run_id="both", fork="first", warm_start=str(elsewhere), retrain_top=1)
    sources = [trial.user_attrs.get("source") for trial in trials_of(tmp_path, "both")]
    begun = [source for source in sources if source in ("fork", "portfolio")]
    assert begun == sorted(begun)
    assert set(begun) == {"fork", "portfolio"}
    configs = [
        {**trial.user_attrs["config"], "epochs": None}
        for trial in trials_of(tmp_path, "both")
        if trial.user_attrs.get("source") == "portfolio" or trial.user_attrs["origin"] == "default"
    ]
    assert all(configs.count(config) == 1 for config in configs)


def test_a_refused_path_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="--warm-start = 'nowhere': there is no leaderboard"):
        run(HERE, tmp_path, warm_start="nowhere")
    assert list(tmp_path.iterdir()) == []
