"""A run with `--folds`, from the search to rows that come out again."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from searchspaces.joined import JoinedSpace
from trainables.datasets import load_dataset
from tune_jobs import engine
from tune_jobs.engine import Job
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.options import Options
from tune_jobs.engine.prepare import load_data
from tune_jobs.engine.reproduce import find_row, reproduce
from tune_jobs.engine.results.run_result import RunResult
from tune_jobs.engine.run_state.info import describe_run

if TYPE_CHECKING:
    from optuna import Trial

pytestmark = pytest.mark.usefixtures("on_one_ray")


def knn_space(trial: "Trial") -> dict[str, Any]:
    trial.suggest_int("k", 1, 9)
    return {"features": "hog"}


def mlp_space(trial: "Trial") -> None:
    trial.suggest_float("lr", 1e-3, 1e-1, log=True)


JOB = Job(
    name="folded",
    dataset="digits",
    architecture="knn",
    space=JoinedSpace({"knn": knn_space, "mlp": mlp_space}),
    trials=4,
    epochs=3,
)
GIVEN = {"train_size": 92, "folds": 3, "retrain_top": 2, "retrain_seeds": 2, "max_parallel": 1}


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("storage")


@pytest.fixture(scope="module")
def result(on_one_ray: None, storage: Path) -> RunResult:
    return run(storage)


def run(storage: Path, **options: Any) -> RunResult:
    data_dir = storage / "data"
    given = {"run_id": "one", "data_dir": data_dir, "storage": str(storage), **GIVEN, **options}
    return engine.run(JOB, **given)


def trials_of(storage: Path) -> list[FrozenTrial]:
    journal = JournalFileBackend(str(storage / "runs" / "folded" / "one" / "study.journal"))
    return optuna.load_study(study_name="folded/one", storage=JournalStorage(journal)).trials


def test_a_trials_value_is_a_mean_over_all_folds(result: RunResult, storage: Path) -> None:
    complete = [t for t in trials_of(storage) if t.state == TrialState.COMPLETE]
    assert {trial.params["architecture"] for trial in complete} == {"knn", "mlp"}
    for trial in complete:
        # 31, 31 and 30 images: a mean of three folds is no share of one of them
        assert trial.value is not None
        counts = [trial.value * size for size in (30, 31, 92)]
        assert all(abs(count - round(count)) > 1e-6 for count in counts), trial.value


def test_rows_say_the_folds_and_the_standard_error(result: RunResult, storage: Path) -> None:
    data = load_dataset("digits", data_dir=storage / "data", train_size=92, folds=3)
    assert {row.architecture for row in result.rows} == {"knn", "mlp"}
    for row in result.rows:
        assert row.num_folds == 3
        assert row.split_fingerprint == data.split_fingerprint
        assert row.seeds == ((1,) if row.dropped_out else (1, 2))
        for seed, accuracy in zip(row.seeds, row.val_accuracy_per_seed, strict=True):
            assert accuracy is not None
            right = accuracy * len(data.folds[seed % 3])
            assert right == pytest.approx(round(right)), "each seed has a fold of its own"
        if row.search_val_metric is not None:
            assert row.search_val_metric_se is not None
            assert 0 < row.search_val_metric_se < 0.2
    assert any(row.search_val_metric_se for row in result.rows)


def test_each_row_comes_out_again(result: RunResult, storage: Path) -> None:
    for row in result.rows:
        found = find_row(f"folded/one:{row.trial_number}", storage)
        assert str(reproduce(found, storage)) == "agrees to the bit"


def test_models_of_different_folds_make_no_ensemble(result: RunResult) -> None:
    assert result.ensemble is None
    assert not any(row.ensemble for row in result.rows)


def test_a_run_keeps_its_folds(result: RunResult, storage: Path) -> None:
    info = json.loads((storage / "runs" / "folded" / "one" / "run.json").read_text())
    assert "92 in 3 folds, 359 test" in info["data"]
    assert not any("--folds" in note for note in info["notes"])
    with pytest.raises(RequestError, match="split_fingerprint"):
        run(storage, folds=4)
    assert len(run(storage, trials=5).rows) >= len(result.rows)


@pytest.mark.parametrize(
    ("given", "is_told"), [({}, True), ({"smoke": True, "dataset": "digits"}, False)]
)
def test_a_run_of_few_images_is_told_of_folds(
    storage: Path, given: dict[str, Any], is_told: bool
) -> None:
    options = Options.resolve(JOB, data_dir=storage / "data", train_size=92, **given)
    info = describe_run(JOB, options, load_data(options), None, {})
    assert any("--folds 5 validates on all 92" in note for note in info.notes) == is_told


def test_several_workers_are_refused() -> None:
    with pytest.raises(RequestError, match=r"--folds = 3: .* has 2 of --workers-per-trial"):
        Options.resolve(JOB, folds=3, workers_per_trial=2)
